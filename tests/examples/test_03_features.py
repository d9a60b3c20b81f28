"""03: netD's features against pixels, an untrained netD's features and a network from scratch."""

import course_notebooks


def test_what_it_claims(tmp_path, monkeypatch):
    found = course_notebooks.run("03", tmp_path, monkeypatch)
    assert found["counts"] == [20, 200]
    right, chance = found["right"], found["chance"]
    assert chance == {"accessory": 1 / 2, "hair_colour": 1 / 16, "hair_style": 1 / 12, "mouth": 1 / 9}
    for name in ("hair_colour", "hair_style"):
        for shares in right[name].values():
            assert shares[1] > max(shares[0], 1.5 * chance[name]), name  # more labels, more right answers

    # Where heads wander, pooled features are worth more than pixels, and most of that without any training
    last = {name: {way: shares[1] for way, shares in ways.items()} for name, ways in right.items()}
    for name in ("accessory", "hair_colour"):
        assert last[name]["netD"] > last[name]["pixels"] + 0.02, name
        assert last[name]["untrained netD"] > last[name]["pixels"] + 0.02, name
        assert last[name]["netD"] > last[name]["from scratch"] + 0.02, name

    # Wider and longer, a network from scratch is still a network that has few labels
    assert 1.5 * chance["hair_colour"] < found["wide"]["hair_colour"] < last["hair_colour"]["untrained netD"]

    # Where they keep still, pixels are worth as much
    still = found["still"]["accessory"]
    assert set(still) == {"pixels", "netD", "untrained netD"}
    assert still["pixels"] > max(still.values()) - 0.06
