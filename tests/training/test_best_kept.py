"""The best netG of a run is kept: wherever it stopped, and whatever was lost."""

import pytest
import tiny_engine
from tiny_runs import best_weights, checkpoints_weights, kept, outcome, scores, train

from mxgan import sampling, training
from mxgan.errors import MxganError
from mxgan.training import artifacts, checkpoint, run_dir, runs, validation
from mxgan.training.log import read_log


@pytest.fixture
def rising_scores(monkeypatch):
    """Scores are 30, 20, 10, 20, 30, 40, ... at ends of epochs: the best is the third."""
    tiny_engine.install(monkeypatch)

    def value(self, generate):
        step = generate.__self__.counts["adamG"]
        return 10.0 + 10 * abs(step // 3 - 3)

    monkeypatch.setattr(validation.Scorer, "score", value)


@pytest.mark.usefixtures("rising_scores")
def test_the_best_is_kept_beside_the_last_three(faces_folder, tmp_path, capsys):
    run = train(faces_folder, tmp_path / "run", epochs=7, evaluate_every=3)
    assert scores(run) == {3: 30, 6: 20, 9: 10, 12: 20, 15: 30, 18: 40, 21: 50}
    assert kept(run) == [9, 15, 18, 21]
    assert best_weights(run) == checkpoints_weights(run, 9) != (run / "netG.params").read_bytes()
    assert capsys.readouterr().err.splitlines()[-1] == (
        "best score 10.00 at step 9 (Fréchet distance of form and colours; lower is better); last 50.00 at step 21; "
        f"new faces from {run / 'netG-best.params'}: mxgan.load_generator('{run}').sample(64)"
    )
    assert sampling.weights_file(run) == run / "netG-best.params"
    assert runs.summary(run)["best"] == {"step": 9, "score": 10.0}
    shown = "best 10.00 at step 9, last 50.00 at step 21: Fréchet distance of form and colours; lower is better"
    assert f"  score        {shown}" in runs.show_lines(runs.show(run))
    assert runs.lines(runs.find(tmp_path), tmp_path)[1].split()[4] == "10.00"


@pytest.mark.usefixtures("rising_scores")
def test_while_it_gets_better_the_last_is_the_best(faces_folder, tmp_path, capsys):
    run = train(faces_folder, tmp_path / "run", epochs=3, evaluate_every=3)
    assert best_weights(run) == (run / "netG.params").read_bytes()
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(
        "best score 10.00 at step 9 (Fréchet distance of form and colours; lower is better); new faces "
    )
    assert kept(train(faces_folder, tmp_path / "four", epochs=4, evaluate_every=3)) == [6, 9, 12]


@pytest.mark.usefixtures("rising_scores")
@pytest.mark.parametrize("stop", [1, 3, 4, 8, 9, 10, 12, 14, 18, 20])
def test_wherever_it_stopped_its_best_is_the_same(faces_folder, tmp_path, stop):
    whole = train(faces_folder, tmp_path / "whole", epochs=7, evaluate_every=3)
    run = train(faces_folder, tmp_path / "run", steps=stop, evaluate_every=3)
    training.resume(run, {"epochs": 7})
    assert outcome(run) == outcome(whole)
    assert {9, 21} <= set(kept(run))


@pytest.mark.usefixtures("rising_scores")
def test_killed_between_the_best_weights_and_their_checkpoint(faces_folder, tmp_path, monkeypatch):
    whole = outcome(train(faces_folder, tmp_path / "whole", epochs=5, evaluate_every=3))
    save = checkpoint.save
    for lost, before in ((3, None), (6, 3)):  # the first score there is, and a better one
        run = tmp_path / f"run-{lost}"

        def dying(folder, one, lost=lost):
            if one.step == lost:
                raise SystemExit
            return save(folder, one)

        monkeypatch.setattr(checkpoint, "save", dying)
        with pytest.raises(SystemExit):
            train(faces_folder, run, epochs=5, evaluate_every=3)
        assert best_weights(run) == (run / "netG.params").read_bytes()  # of the lost step
        monkeypatch.setattr(checkpoint, "save", save)
        records = read_log(run / "log.jsonl")
        known = [one for one in validation.of(records) if one.step < lost]
        artifacts.restore_best(run_dir.RunDir(run), known, pytest.fail)
        if before:
            assert best_weights(run) == checkpoints_weights(run, before)
        else:
            assert not (run / "netG-best.params").exists()
        training.resume(run)
        assert outcome(run) == whole


@pytest.mark.usefixtures("rising_scores")
@pytest.mark.parametrize("damage", [lambda file: file.unlink(), lambda file: file.write_bytes(b"x")])
def test_lost_best_weights_are_written_again_from_their_checkpoint(faces_folder, tmp_path, damage):
    run = train(faces_folder, tmp_path / "run", epochs=6, evaluate_every=3)
    before = outcome(run)
    damage(run / "netG-best.params")
    training.resume(run)
    assert outcome(run) == before
    assert kept(run) == [9, 12, 15, 18]


@pytest.mark.usefixtures("rising_scores")
def test_the_newest_checkpoints_damaged_the_best_until_then_is_still_there(faces_folder, tmp_path):
    whole = outcome(train(faces_folder, tmp_path / "whole", epochs=7, evaluate_every=3))
    run = train(faces_folder, tmp_path / "run", epochs=6, evaluate_every=3)
    for step in (15, 18):
        (run / "checkpoints" / f"{step:06d}" / "netG.params").unlink()
    training.resume(run, {"epochs": 7})
    assert outcome(run) == whole


@pytest.mark.usefixtures("rising_scores")
def test_the_bests_checkpoint_damaged_the_weights_stay_and_it_is_said(faces_folder, tmp_path, capsys):
    run = train(faces_folder, tmp_path / "run", epochs=6, evaluate_every=3)
    before = best_weights(run)
    (run / "checkpoints" / "000009" / "netG.params").unlink()
    training.resume(run, {"epochs": 7})
    said = capsys.readouterr().err
    assert "netG.params: damaged checkpoint (No such file or directory): netG-best.params is left as it is" in said
    assert best_weights(run) == before


@pytest.mark.usefixtures("rising_scores")
@pytest.mark.parametrize("line", [0, -1])
def test_a_damaged_log_still_knows_the_best(faces_folder, tmp_path, capsys, line):
    run = train(faces_folder, tmp_path / "run", epochs=6, evaluate_every=3)
    lines = (run / "log.jsonl").read_bytes().splitlines(keepends=True)
    lines[line] = b"#" + lines[line][1:]
    (run / "log.jsonl").write_bytes(b"".join(lines))
    training.resume(run, {"epochs": 7})
    assert "log.jsonl isn't what it was" in capsys.readouterr().err
    assert best_weights(run) == checkpoints_weights(run, 9)
    assert kept(run) == [9, 15, 18, 21]


@pytest.mark.usefixtures("rising_scores")
def test_best_weights_that_cannot_be_written_are_tried_again(faces_folder, tmp_path, monkeypatch, capsys):
    save, full = run_dir.RunDir.save_weights, [True]

    def failing(self, weights):
        if "netG-best" in weights and len(scores(self.path)) == 3 and full:
            full.pop()
            raise MxganError("no room")
        save(self, weights)

    monkeypatch.setattr(run_dir.RunDir, "save_weights", failing)
    run = train(faces_folder, tmp_path / "run", epochs=5, evaluate_every=3)
    assert not full and "warning: no room; what was saved before is kept" in capsys.readouterr().err
    assert best_weights(run) == checkpoints_weights(run, 9)


@pytest.mark.usefixtures("rising_scores")
def test_it_may_change_on_resume_and_the_best_stays_the_best_of_those_scored(faces_folder, tmp_path):
    run = train(faces_folder, tmp_path / "run", epochs=3, evaluate_every=6)
    assert list(scores(run)) == [6]
    training.resume(run, {"epochs": 6, "evaluate_every": 0})
    assert (list(scores(run)), kept(run)) == ([6], [6, 12, 15, 18])
    assert best_weights(run) == checkpoints_weights(run, 6)
    training.resume(run, {"epochs": 8, "evaluate_every": 3})
    assert list(scores(run)) == [6, 21, 24]
    plain = train(faces_folder, tmp_path / "plain", epochs=8, evaluate_every=0)
    assert (plain / "netG.params").read_bytes() == (run / "netG.params").read_bytes()
