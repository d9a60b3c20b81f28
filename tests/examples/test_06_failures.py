"""06: three runs that fail, each in its own way, and three that don't."""

import course_notebooks


def test_what_it_claims(tmp_path, monkeypatch):
    found = course_notebooks.run("06", tmp_path, monkeypatch)
    variety = {name: values[-1] for name, values in found["variety"].items()}
    real, fake, warned = found["score_real"], found["score_fake"], found["warned"]

    assert variety["collapsed"] < 0.1 and warned["collapsed"] == [[1000, "collapse"]]
    assert fake["collapsed"] > real["collapsed"]  # netG wins, and it is no good sign

    assert real["lost"] > 0.99 and fake["lost"] < 0.01
    assert warned["lost"][0][1] == "d_wins" and 200 <= warned["lost"][0][0] < 300

    assert max(found["variety"]["hasty"]) > 1  # noise is various
    assert found["tremble"]["hasty"] > 2 * found["tremble"]["healthy"]

    for name in ("healthy", "helped"):
        assert warned[name] == []
        assert real[name] < 0.99 and fake[name] > 0.01
        assert variety[name] > 3 * variety["collapsed"]
        worse = [found["distance"][failed] for failed in ("hasty", "lost", "collapsed")]
        assert min(worse) > 1.2 * found["distance"][name] > found["distance"]["real faces"]
