"""01: heights and faces, by models that know the border and models that know the density."""

import course_notebooks


def test_what_it_claims(tmp_path, monkeypatch):
    found = course_notebooks.run("01", tmp_path, monkeypatch)
    assert 0.845 < found["ceiling"] < 0.86
    assert all(found["ceiling"] - 0.015 < one < found["ceiling"] + 0.002 for one in found["accuracy"].values())

    bayes, logistic = (dict(zip(found["labels"], found["few labels"][name])) for name in found["few labels"])
    assert bayes[4] < logistic[4] and bayes[32] > logistic[32]  # its assumptions want filling in
    assert logistic[1024] > bayes[1024] + 0.02  # and are wrong

    (right, right_aware), (caught, caught_aware) = found["alarms right"], found["Martians found"]
    assert right < 0.25 < 0.6 < right_aware and caught > 0.7 > caught_aware

    mean, spread, of_crowd = found["humars"]
    assert abs(mean - 179) < 1.5 and spread < 12.5 < of_crowd  # between the two, and no mixture of them

    real, naive, together, gan = found["step from pixel to pixel"]
    assert naive > 3 * real and together < real and abs(gan - real) < 0.35 * real
