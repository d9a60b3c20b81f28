"""05: each difference between the frameworks, switched on alone, shows in float64 and is told from rounding."""

import course_notebooks

from mxgan import course


def test_what_it_claims(tmp_path, monkeypatch):
    found = course_notebooks.run("05", tmp_path, monkeypatch)
    weights, statistics = ({name: end[kind] for name, end in found["found"].items()} for kind in (0, 1))
    assert max(found["same"]) < 1e-9 and weights["none"] == found["same"][0]
    for name in ("PyTorch's variance", "real batch first"):  # training never reads running statistics
        assert weights[name] < 1e-9 and statistics[name] > 1e-4
    for name in ("PyTorch's Adam", "netG first"):
        assert weights[name] > 1e-3 and statistics[name] > 1e-9
    first = {name: start[0] for name, start in found["first"].items()}
    assert first["PyTorch's Adam"] < 0.02 < 0.1 < first["netG first"]

    rounding = found["float32"]["none, one rounding away"][0]
    assert rounding > 1e4 * weights["none"]
    assert (
        weights["none"] < found["float32"]["none"][0] < 3 * rounding
    )  # four steps: no sum may have gone another way yet
    start, noise = found["float32 first"], found["float32 first"]["none, one rounding away"]
    assert start["PyTorch's Adam"][0] > 3 * noise[0]  # float32 shows it, at first
    assert min(start[name][1] for name in ("PyTorch's variance", "real batch first")) > 30 * noise[1]
    assert found["grey levels"]["64"] < found["grey levels"]["4"] < 1
    if course._runs("mxnet"):
        assert set(found["worst"]) >= {"forward (relative)", "weight (relative)"}
        assert all(value < 1e-9 for value in found["worst"].values())
