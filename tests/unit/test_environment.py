"""The environments that a job may run in hold the same pins, and the package's surface is what it says."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]


def pins(lines) -> dict[str, str]:
    found = (line.split("#")[0].strip() for line in lines)
    return dict(line.split("==") for line in found if line)


REQUIREMENTS = pins((ROOT / "envs/requirements.txt").read_text().splitlines())


def test_every_requirement_is_pinned_exactly():
    for file in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / "envs" / file).read_text().splitlines():
            assert not line.strip() or line.startswith("#") or re.fullmatch(r"[\w.-]+==[\w.]+", line), line
    assert REQUIREMENTS["torch"] == "2.13.0"


def test_the_version_is_that_of_the_package_everywhere():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == version and citation["license"] == "MIT"
    assert f"version = {{{version}}}" in (ROOT / "docs/index.md").read_text()


def test_conda_environment_holds_the_same_pins_for_all_that_jobs_need():
    environment = yaml.safe_load((ROOT / "envs/environment.yaml").read_text())
    pip = next(part["pip"] for part in environment["dependencies"] if isinstance(part, dict))
    jobs = {name: version for name, version in REQUIREMENTS.items() if not name.startswith("snakemake")}
    assert pins(pip) == jobs


def test_container_installs_the_package_with_the_pinned_requirements(tmp_path):
    """What the definition copies is all that the package's metadata needs."""
    definition = (ROOT / "envs/mtbridge.def").read_text()
    copied = dict(line.split() for line in definition.partition("%files\n")[2].partition("\n\n")[0].splitlines())
    for source, target in copied.items():
        destination = tmp_path / target.removeprefix("/")
        destination.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
        copy(ROOT / source, destination)
    assert "pip install --no-cache-dir /opt/mtbridge\n" in definition
    project = tomllib.loads((tmp_path / "opt/mtbridge/pyproject.toml").read_text())
    tools = project["tool"]["setuptools"]
    (requirements,) = {tools["dynamic"]["dependencies"]["file"]}
    assert pins((tmp_path / "opt/mtbridge" / requirements).read_text().splitlines()) == REQUIREMENTS
    assert (tmp_path / "opt/mtbridge" / project["project"]["readme"]).exists()
    assert (tmp_path / "opt/mtbridge" / tools["packages"]["find"]["where"][0] / "mtbridge/__init__.py").exists()


def test_conda_environment_gets_the_workflows_library(tmp_path):
    """The script that Snakemake runs in a new environment, with a pip that only says what it is asked."""
    pip = tmp_path / "python"
    pip.write_text('#!/bin/sh\nprintf "%s\\n" "$@" "PYTHONPATH=$PYTHONPATH"\n')
    pip.chmod(0o755)
    script = ROOT / "envs/environment.post-deploy.sh"
    variables = {"PATH": f"{tmp_path}:/usr/bin:/bin", "MTBRIDGE_HOME": "/a b", "PYTHONPATH": "/a b/workflow"}
    done = subprocess.run(["bash", script], env=variables, capture_output=True, text=True, check=True)
    *_, editable, home, path = done.stdout.splitlines()
    assert (editable, home, path) == ("--editable", "/a b", "PYTHONPATH=")
    del variables["MTBRIDGE_HOME"]
    assert subprocess.run(["bash", script], env=variables, capture_output=True).returncode != 0


def test_installed_packages_are_the_pinned_ones():
    from importlib.metadata import version

    for name, pinned in REQUIREMENTS.items():
        assert version(name).split("+")[0] == pinned, name


def imported_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*{{name.split('.')[0] for name in sys.modules}})"
    environment = {"PYTHONPATH": str(ROOT / "workflow"), "PATH": ""}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    return set(done.stdout.split())


def test_planning_imports_nothing_heavy():
    heavy = {"torch", "transformers", "pandas", "numpy", "pyarrow", "sklearn", "matplotlib", "datasets"}
    loaded = imported_by(
        "from mtbridge.study import grid, load, options; from mtbridge.base import identity; "
        "options.Options(grid.Study(load.load({}))).outline()"
    )
    assert not loaded & heavy


def test_only_what_computes_with_tensors_imports_torch():
    free = "base.errors base.files base.identity data.corpora data.readers data.tokenized data.tokenizers data.world "
    free += "study.grid study.settings tasks.metrics presentation.tables presentation.figures presentation.page"
    assert "torch" not in imported_by("; ".join(f"import mtbridge.{module}" for module in free.split()))


def test_training_imports_neither_trainer_nor_datasets_nor_accelerates_launcher():
    code = "from mtbridge.training import finetuning; from mtbridge.models.classes import encoder_class"
    code += "; from mtbridge.specs.families import MBART; encoder_class(MBART)"
    loaded = imported_by(code + "; assert 'transformers.trainer' not in sys.modules")
    assert not loaded & {"datasets", "pandas", "matplotlib"}


def test_every_program_explains_itself_without_heavy_imports():
    for program in sorted((ROOT / "scripts").glob("[a-z]*.py")):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", program, "--help"], capture_output=True, text=True, check=True
        )
        assert "usage:" in done.stdout and len(done.stdout.splitlines()) > 5, program.name
        assert "| torch\n" not in done.stderr.replace(" ", "").replace("|", "| "), program.name


def test_programs_import_nothing_slow_before_they_may_go_on_in_a_warm_process():
    """`command` hands them over; what stands above it is imported once more in every job."""
    programs = [str(path) for path in sorted((ROOT / "scripts").glob("[a-z]*.py"))]
    loaded = imported_by(f"import runpy; [runpy.run_path(path, run_name='program') for path in {programs}]")
    assert not loaded & {"pydantic", "numpy", "yaml"}


def test_an_installation_that_was_stopped_is_begun_anew(tmp_path):
    """pip cannot read half a package. An environment that is whole, or that someone else made, is not emptied."""
    for name in ("Makefile", "pyproject.toml", "envs/requirements.txt", "envs/requirements-dev.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    written = tmp_path / "environment"
    written.write_text("""#!/bin/sh
case $2 in
    venv) echo "$@" >> "$0.log"; mkdir -p .venv/bin; cp "$0" .venv/bin/python;;
    pip) test ! -e broken;;
esac
""")
    written.chmod(0o755)
    (tmp_path / "broken").touch()
    command = ["make", "setup", f"PYTHON={written}"]
    for expected in (2, 2, 0, 0):
        if not expected:
            (tmp_path / "broken").unlink(missing_ok=True)
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == expected, done.stderr
    calls = (tmp_path / "environment.log").read_text().split("\n")
    assert [call.split() for call in calls if call] == [
        ["-m", "venv", ".venv"], ["-m", "venv", "--clear", ".venv"], ["-m", "venv", "--clear", ".venv"]
    ]  # fmt: skip
    (tmp_path / "pyproject.toml").touch()  # newer requirements: what is there is added to
    subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=True)
    assert (tmp_path / "environment.log").read_text().split("\n")[-2].split() == ["-m", "venv", ".venv"]
