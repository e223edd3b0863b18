import json

import pytest

from kerasgan.config import NoiseConfig, RunConfig, read_record
from kerasgan.errors import ModelError
from kerasgan.presets import PRESETS, preset

SELECTIVE = preset("selective")


@pytest.mark.parametrize("name", PRESETS)
def test_config_survives_json(name):
    config = preset(name).replace(data__limit=7, g_optimizer__ema_momentum=0.99)
    assert RunConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_replace_reaches_into_parts():
    config = SELECTIVE.replace(epochs=3, data__channels=3, data__limit=5)
    assert (config.epochs, config.data.channels, config.data.limit) == (3, 3, 5)
    assert SELECTIVE.data.limit is None


@pytest.mark.parametrize(
    "changes",
    [
        {"noise__amount": (0.9, 0.1)},
        {"noise__amount": (0.0, 1.5)},
        {"noise__salt_vs_pepper": 2.0},
        {"data__channels": 2},
        {"data__patch_size": 50},
        {"data__patch_size": 8},
        {"data__limit": 0},
        {"generator__filters": (16,)},
        {"generator__filters": (16, 0, 8, 8)},
        {"generator__architecture": "classic"},
        {"discriminator__dropout": 1.0},
        {"noise__amount_exponent": 0.0},
        {"noise__amount_exponent": float("inf")},
        {"g_optimizer__learning_rate": 0.0},
        {"g_optimizer__ema_momentum": 1.0},
        {"adversarial_weight": -1.0},
        {"adversarial_weight": float("nan")},
        {"adversarial_weight": float("inf")},
        {"epochs": 0},
        {"batch_size": 0},
        {"seed": -1},
    ],
)
def test_impossible_values_are_refused(changes):
    with pytest.raises(ValueError, match=next(iter(changes)).split("__")[-1].split("_")[0]):
        SELECTIVE.replace(**changes)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("epochs",), "ten", "config.epochs must be of type int"),
        (("epochs",), True, "config.epochs must be of type int"),
        (("noise", "amount"), 0.15, "config.noise.amount must be a list"),
        (("noise", "amount"), [0.1], "config.noise.amount must have 2 values"),
        (("reconstruction",), "huber", "config.reconstruction must be one of"),
        (("colour",), 1, "config has an unknown key colour"),
        (("data",), None, "config.data must be an object"),
    ],
)
def test_damaged_values_are_named(path, value, message):
    values = SELECTIVE.to_dict()
    part = values
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    with pytest.raises(ValueError, match=message):
        RunConfig.from_dict(values)


def test_missing_values_are_named():
    values = SELECTIVE.to_dict()
    del values["noise"]["amount"]
    with pytest.raises(ValueError, match=r"config.noise lacks amount"):
        RunConfig.from_dict(values)


def test_whole_numbers_are_fine_where_fractions_are_meant():
    values = SELECTIVE.to_dict()
    values["noise"]["amount"] = [0, 1]
    assert RunConfig.from_dict(values).noise == NoiseConfig(amount=(0.0, 1.0))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"config": {}}'])
def test_damaged_records_are_named(tmp_path, text):
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(ModelError, match="config.json is damaged"):
        read_record(path)


def test_missing_record_is_named(tmp_path):
    with pytest.raises(ModelError, match="not the folder of a training run"):
        read_record(tmp_path / "config.json")


def test_unknown_preset_lists_the_known():
    with pytest.raises(ValueError, match="selective, selective-small, classic"):
        preset("clasic")
