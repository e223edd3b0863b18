import dataclasses

import numpy as np
import pytest
from scipy import stats

from kerasgan.measure.comparison import Trial, format_rows, summarize, trials
from kerasgan.measure.comparison_report import Comparison, write_comparison
from kerasgan.measure.lenses import MEASURES
from kerasgan.presets import preset

NOISE = preset("selective").noise


def test_all_weights_of_a_seed_come_before_the_next_seed():
    assert trials([0, 0.1], [1, 2]) == [Trial(0, 1), Trial(0.1, 1), Trial(0, 2), Trial(0.1, 2)]
    assert Trial(0.001, 2).name == "weight-0.001_seed-2"


@pytest.fixture
def results():
    random = np.random.default_rng(0)
    return {
        trial: {"0.5": {"psnr": list(30 + 100 * trial.weight + random.normal(0, 0.1, 8))}}
        for trial in trials([0.0, 0.01], [0, 1, 2])
    }


def test_differences_are_paired_by_seed(results):
    reference, other = summarize(results)
    assert (reference.weight, reference.difference, reference.interval) == (0.0, None, None)
    means = np.array(
        [[np.mean(results[Trial(w, s)]["0.5"]["psnr"]) for s in range(3)] for w in (0.0, 0.01)]
    )
    assert other.mean == pytest.approx(means[1].mean())
    assert other.spread == pytest.approx(means[1].std(ddof=1))
    differences = means[1] - means[0]
    low, high = stats.ttest_1samp(differences, 0).confidence_interval(0.95)
    assert other.difference - other.interval == pytest.approx(low)
    assert other.difference + other.interval == pytest.approx(high)
    assert other.excludes_zero and not reference.excludes_zero


def test_one_seed_is_paired_by_image(results):
    one = {trial: values for trial, values in results.items() if trial.seed == 0}
    _, other = summarize(one)
    a, b = (np.array(values["0.5"]["psnr"]) for values in one.values())
    low, high = stats.ttest_rel(b, a).confidence_interval(0.95)
    assert other.spread is None
    assert other.difference == pytest.approx((low + high) / 2)
    assert other.interval == pytest.approx((high - low) / 2)


def test_a_value_for_the_whole_set_has_no_interval_over_images():
    results = {Trial(w, 0): {"0.5": {"kernel_distance": [1.0 + w]}} for w in (0.0, 0.5)}
    _, other = summarize(results)
    assert other.difference == pytest.approx(0.5)
    assert other.interval is None and not other.excludes_zero


def test_the_table_marks_what_is_proven(results):
    table = format_rows(summarize(results), NOISE)
    assert "Salt and pepper, 50%" in table
    assert "| | λ = 0 | λ = 0.01 |" in table
    assert ")* |" in table and "over seeds" in table
    same = {trial: {"0.5": {"psnr": [30.0, 31.0]}} for trial in results}
    assert "*" not in format_rows(summarize(same), NOISE)
    one = {trial: values for trial, values in results.items() if trial.seed == 0}
    assert "over images: another seed may differ" in format_rows(summarize(one), NOISE)


@pytest.mark.parametrize("looks", ["lpips", "sharpness"])
def test_the_page_shows_every_figure(results, tmp_path, looks):
    for values in results.values():
        values["0.5"] |= {"mse": [0.01, 0.02], looks: [0.1, 0.3]}
    rows = summarize(results)
    page = tmp_path / "page.html"
    write_comparison(
        page, Comparison("kerasgan compare", "d", 8, preset("selective"), rows, results)
    )
    text = page.read_text()
    for row in rows:
        assert f"{row.mean:.{MEASURES[row.measure].digits}f}" in text
    assert text.count('role="img"') == 1
    assert "src=" not in text and 'href="http' not in text


def test_rows_are_plain_values(results):
    row = dataclasses.asdict(summarize(results)[1])
    assert {type(value) for value in row.values()} == {float, str}
