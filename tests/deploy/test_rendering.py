"""Every overlay renders, here as kustomize does it."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from tests.deploy.rendering import Manifest, Unknown, render

FOLDER = Path(__file__).parents[2] / "deploy" / "k8s"
RENDERED = ("base", "overlays/local", "overlays/production", "client", "repair")


def by_identity(manifests: list[Manifest]) -> dict[tuple[str, str], str]:
    return {
        (one["kind"], one["metadata"]["name"]): json.dumps(one, sort_keys=True, indent=1, default=str)
        for one in manifests
    }


@pytest.mark.parametrize("name", RENDERED)
def test_every_overlay_renders_as_kustomize_does_it(name: str) -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("there is no kubectl to compare with")
    done = subprocess.run(["kubectl", "kustomize", str(FOLDER / name)], capture_output=True, text=True, check=True)
    theirs, ours = by_identity(list(yaml.safe_load_all(done.stdout))), by_identity(render(FOLDER / name))
    assert sorted(ours) == sorted(theirs)
    for identity, text in theirs.items():
        assert ours[identity] == text


@pytest.mark.parametrize("name", RENDERED)
def test_no_two_resources_have_one_name(name: str) -> None:
    manifests = render(FOLDER / name)
    assert len(by_identity(manifests)) == len(manifests) > 1


def test_a_feature_that_is_not_known_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: []\nnameSuffix: -b\n")
    with pytest.raises(Unknown, match="nameSuffix"):
        render(tmp_path)


def test_a_generated_map_whose_name_ends_in_a_hash_is_not_guessed(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "kustomization.yaml").write_text("configMapGenerator: [{name: a, files: [a.json]}]\n")
    with pytest.raises(Unknown, match="config map a"):
        render(tmp_path)


def test_a_patch_of_nothing_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("patches: [{target: {kind: Job}, patch: '[]'}]\n")
    with pytest.raises(Unknown, match="nothing"):
        render(tmp_path)


def test_a_merge_of_lists_is_not_guessed(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("kind: Thing\nmetadata: {name: a}\nspec: {list: [1]}\n")
    (tmp_path / "kustomization.yaml").write_text("resources: [a.yaml]\npatches: [{path: a.yaml}]\n")
    with pytest.raises(Unknown, match="list"):
        render(tmp_path)
