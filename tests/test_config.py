import json
from pathlib import Path

import pytest

from kerasgan.config import RunConfig
from kerasgan.errors import DataError, ModelError
from kerasgan.noise.gaussian import Gaussian
from kerasgan.noise.salt_and_pepper import SaltAndPepper
from kerasgan.noise.sensor import Sensor
from kerasgan.presets import PRESETS, preset, read_recipe
from kerasgan.store.record import read_record

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
        {"data__scale": (2.0, 0.5)},
        {"data__scale": (0.01, 1.0)},
        {"data__grey": 0.5},
        {"noise__level": (0.9, 0.1)},
        {"noise__level": (0.0, 1.5)},
        {"noise__salt_vs_pepper": 2.0},
        {"data__channels": 2},
        {"data__patch_size": 50},
        {"data__patch_size": 8},
        {
            "data__patch_size": 24,
            "discriminator__filters": (8, 8, 8, 8, 8),
            "adversary__weight": 1.0,
        },
        {"data__limit": 0},
        {"generator__filters": (16,)},
        {"generator__filters": (16, 0, 8, 8)},
        {"generator__architecture": "classic"},
        {"discriminator__dropout": 1.0},
        {"noise__exponent": 0.0},
        {"noise__exponent": float("inf")},
        {"g_optimizer__learning_rate": 0.0},
        {"g_optimizer__ema_momentum": 1.0},
        {"adversary__weight": -1.0},
        {"adversary__weight": float("nan")},
        {"adversary__weight": float("inf")},
        {"adversary__penalty": -1.0},
        {"epochs": 0},
        {"batch_size": 0},
        {"seed": -1},
        {"seed": 2**32},
        {"noise": Gaussian(25)},
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
        (("noise", "level"), "much", "config.noise.level must be a list"),
        (("noise", "level"), [0.1], "config.noise.level must have 2 values"),
        (("noise", "kind"), "hail", "no noise 'hail'; there are salt-and-pepper"),
        (("noise", "salt"), 0.1, "unknown key salt; did you mean salt_vs_pepper?"),
        (("reconstruction",), "huber", "config.reconstruction must be one of"),
        (("colour",), 1, "config has an unknown key colour; there are data, noise"),
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
    del values["noise"]["level"]
    with pytest.raises(ValueError, match=r"config.noise lacks level"):
        RunConfig.from_dict(values)


def test_whole_numbers_are_fine_where_fractions_are_meant():
    values = SELECTIVE.to_dict()
    values["noise"]["level"] = [0, 1]
    assert RunConfig.from_dict(values).noise == SaltAndPepper((0.0, 1.0))
    values["noise"]["level"] = 1
    assert RunConfig.from_dict(values).noise == SaltAndPepper(1.0)


def test_every_field_can_be_set_as_text():
    config = SELECTIVE.with_settings(
        [
            "generator.filters=24,48, 96",
            "g_optimizer.schedule=constant",
            "g_optimizer.ema_momentum=0.99",
            "data.limit=none",
            "data.flip=false",
            "noise.level=0.3:0.9",
            "adversary.objective=hinge",
            "suspects_only=False",
            "epochs=7",
        ]
    )
    assert config == SELECTIVE.replace(
        generator__filters=(24, 48, 96),
        g_optimizer__schedule="constant",
        g_optimizer__ema_momentum=0.99,
        data__flip=False,
        noise__level=(0.3, 0.9),
        adversary__objective="hinge",
        suspects_only=False,
        epochs=7,
    )
    assert SELECTIVE.with_settings(["noise.level=0.5"]).noise == SaltAndPepper(0.5)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("epochs", "'epochs' is no setting; write NAME=VALUE"),
        ("epochs=many", "config.epochs must be of type int, got 'many'"),
        ("epoch=3", "unknown key epoch; did you mean epochs?"),
        ("foo=3", "unknown key foo; there are data, noise, "),
        ("generator.filter=3,4", "unknown key filter; did you mean filters?"),
        ("generator=3", "config.generator must be an object"),
        ("epochs.x=3", "config.epochs must be of type int"),
        ("generator.filters=4", "config.generator.filters must be a list"),
        ("noise.kind=hail", "no noise 'hail'"),
        ("noise=3", "config.noise must be an object"),
        ("noise.kind.x=3", "unknown key noise.kind"),
        ("noise.level=0.9:0.1", r"\[0, 1\], got 0.9:0.1"),
        ("adversary.objective=fool", "must be one of bce, hinge, relativistic"),
    ],
)
def test_settings_that_are_none_are_named(setting, message):
    with pytest.raises(ValueError, match=message):
        SELECTIVE.with_settings([setting])


def test_a_part_is_not_set_as_a_whole_and_in_parts():
    with pytest.raises(ValueError, match="epochs is set as a whole, and then in parts"):
        SELECTIVE.with_settings(["epochs=3", "epochs.x=3"])


def test_a_recipe_by_hand_says_what_differs(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('preset = "classic"\nepochs = 3\n[noise]\nlevel = 0.3\n')
    assert read_recipe(path) == preset("classic").replace(epochs=3, noise__level=0.3)
    path.write_text("")
    assert read_recipe(path) == preset("selective-gan")


def test_a_recipe_mixes_kinds_of_noise():
    config = read_recipe(Path(__file__).parents[1] / "docs" / "recipes" / "mixed.toml")
    sensor, impulses = config.noise.parts
    assert sensor == Sensor((0, 60), jpeg=True)
    assert impulses == SaltAndPepper((0, 0.05), exponent=2.0)
    assert config.generator.architecture == "residual"
    assert RunConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'preset = "residual"\n[noise]\nkind = "mixed"\nlevel = 1\nparts = ["sensor"]',
            "config.noise.parts must be an object",
        ),
        (
            'preset = "residual"\n[noise]\nkind = "mixed"\nlevel = 1\nparts = [{kind = "hail"}]',
            "no noise 'hail'; there are",
        ),
        (
            'preset = "residual"\n[noise]\nkind = "mixed"\nlevel = 1\nparts = []',
            "parts of mixed noise must be one or more simple kinds",
        ),
        ("epochs = ", "cannot read .*mine.toml: Invalid value"),
        ("epoch = 3", "unknown key epoch; did you mean epochs?"),
        ('preset = "clasic"', "no preset 'clasic'"),
        ("preset = []", "cannot read"),
        ("noise = 3", "config.noise must be an object"),
        ("[data]\nsource = 7", "config.data.source must be of type str"),
    ],
)
def test_damaged_recipes_are_named(tmp_path, text, message):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_recipe(path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"config": {}}'])
def test_damaged_records_are_named(tmp_path, text):
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(ModelError, match="config.json is damaged"):
        read_record(path)


@pytest.mark.parametrize(
    "damage",
    [
        {"seed": 4294967296},
        {"epochs": 10**400},
        {"g_optimizer": {"learning_rate": 10**400}},
        {"generator": []},
    ],
)
def test_records_of_absurd_values_are_named(tmp_path, damage):
    path = tmp_path / "config.json"
    record = {"config": SELECTIVE.to_dict() | damage, "data": {"fingerprint": "x"}}
    path.write_text(json.dumps(record))
    with pytest.raises(ModelError, match="config.json is damaged"):
        read_record(path)


def test_records_of_absurd_depth_are_named(tmp_path):
    path = tmp_path / "config.json"
    path.write_text("[" * 100_000)
    with pytest.raises(ModelError, match="config.json is damaged"):
        read_record(path)


def test_classic_takes_patches_of_its_own_multiple():
    assert preset("classic").replace(data__patch_size=50).data.patch_size == 50


def test_missing_record_is_named(tmp_path):
    with pytest.raises(ModelError, match="there is no .*, as a training run has one"):
        read_record(tmp_path / "config.json")


def test_unknown_preset_lists_the_known():
    with pytest.raises(ValueError, match="selective, selective-small, residual, classic"):
        preset("clasic")


@pytest.mark.parametrize(
    ("epochs", "reconstruction", "discriminator"),
    [(1, 1, 0), (2, 1, 0), (3, 1, 1), (5, 3, 1), (10, 7, 1), (16, 11, 1)],
)
def test_phases_share_the_epochs_and_end_with_both(epochs, reconstruction, discriminator):
    config = preset("selective-gan").replace(epochs=epochs)
    phases = [config.phase(epoch) for epoch in range(epochs)]
    both = epochs - reconstruction - discriminator
    assert phases == [
        *["reconstruction"] * reconstruction,
        *["discriminator"] * discriminator,
        *["both"] * both,
    ]
    assert [config.epochs_of(phase) for phase in ("reconstruction", "discriminator", "both")] == [
        reconstruction,
        discriminator,
        both,
    ]
    alone = config.replace(adversary__weight=0.0)
    assert alone.epochs_of("reconstruction") == epochs
    at_once = config.replace(adversary__begins=0.0, adversary__warmup=0.0)
    assert at_once.epochs_of("both") == epochs


def test_phases_leave_epochs_for_both():
    with pytest.raises(ValueError, match=r"must leave a share .* got 0.7 and 0.3"):
        preset("selective-gan").replace(adversary__warmup=0.3)


def test_changes_of_a_part_count_together_in_any_order():
    wide = {"data__grey": 0.5, "data__channels": 3}
    assert SELECTIVE.replace(**wide) == SELECTIVE.replace(**dict(reversed(wide.items())))
    classic = {"generator__architecture": "classic", "generator__filters": (8, 16, 32)}
    assert SELECTIVE.replace(**classic).generator.filters == (8, 16, 32)


def test_settings_come_after_changes():
    given = {"data": {"channels": 3}, "noise": Gaussian(25.0).to_dict()}
    residual = preset("residual")
    config = residual.with_settings(["data.grey=0.1", "noise.level=5:20"], given)
    assert (config.data.channels, config.data.grey) == (3, 0.1)
    assert config.noise == Gaussian((5.0, 20.0))
