"""Fashion-MNIST is found or downloaded, verified before use, and never touched where it lies."""

import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import ARCHIVES
from mirror import serving, whole
from torchvision.datasets import FashionMNIST

from fashiontui.data import download as over_http
from fashiontui.data import fashion_mnist, load
from fashiontui.data.fashion_mnist import load as load_fashion_mnist
from fashiontui.data.load import NotObtainable
from fashiontui.domain.errors import DataError, ExitCode


def found(*folders: Path):
    """Fashion-MNIST from these folders; a download would be a failure."""
    return load_fashion_mnist([*folders], pytest.fail)


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below a folder with its time of change and its bytes, and every folder."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mtime_ns,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in [folder, *folder.rglob("*")]
    }


def use_mirror(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put one server in the place of all mirrors, and lose patience with it soon."""
    monkeypatch.setattr(FashionMNIST, "mirrors", [address])
    monkeypatch.setattr(fashion_mnist, "MORE_MIRRORS", [])
    monkeypatch.setattr(over_http, "PATIENCE", over_http.Patience(1, 1, (0, 0.01)))


@pytest.fixture
def mirror(tiny_archives, monkeypatch):
    """A server of the tiny archives in the place of all mirrors."""
    files = {path.name: path.read_bytes() for path in tiny_archives.folder.iterdir()}
    with serving(files, whole) as mirror:
        use_mirror(mirror.address, monkeypatch)
        yield mirror


@pytest.fixture
def no_mirror(monkeypatch):
    """Mirrors that nobody answers for."""
    with serving({}, whole) as mirror:
        pass
    use_mirror(mirror.address, monkeypatch)


def test_every_image_and_label_is_read_as_it_was_written(tiny_archives):
    data = found(tiny_archives.folder)
    assert np.array_equal(data.images[:, 0].numpy(), tiny_archives.images)
    assert np.array_equal(data.labels.numpy(), tiny_archives.labels)
    assert np.array_equal(data.test_images[:, 0].numpy(), tiny_archives.test_images)
    assert np.array_equal(data.test_labels.numpy(), tiny_archives.test_labels)
    assert (data.images.dtype, data.labels.dtype) == (torch.uint8, torch.int64)


@pytest.mark.parametrize("layout", ["", "raw", "FashionMNIST/raw"])
def test_the_archives_are_found_in_each_usual_layout(layout, tiny_archives, tmp_path):
    root = tmp_path / "root"
    shutil.copytree(tiny_archives.folder, root / layout, dirs_exist_ok=True)
    assert len(found(root).images) == 100


def test_the_first_folder_that_holds_the_archives_is_used_and_said(tiny_archives, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    told: list[str] = []
    folders = [tmp_path / "missing", empty, tiny_archives.folder]
    assert len(load_fashion_mnist(folders, told.append).images) == 100
    [said] = told
    assert str(folders[0]) in said
    assert str(tiny_archives.folder) in said


def test_a_read_only_folder_of_archives_works_and_is_left_as_it_was(tiny_archives):
    folder = tiny_archives.folder
    for archive in folder.iterdir():
        archive.chmod(0o444)
    folder.chmod(0o555)
    before = contents(folder)
    try:
        found(folder)
        assert contents(folder) == before
    finally:
        folder.chmod(0o755)


def damage_one_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def replace_by_another_data_set(path: Path) -> None:
    path.write_bytes(gzip.compress(b"\0\0\x08\x01\0\0\0\x01\x05"))


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("spoil", [damage_one_byte, cut_short, replace_by_another_data_set, empty])
@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_that_is_not_genuine_is_named_with_the_remedy(name, spoil, tiny_archives):
    spoil(tiny_archives.folder / name)
    with pytest.raises(DataError, match="delete it and copy or download it again") as refused:
        found(tiny_archives.folder)
    assert str(tiny_archives.folder / name) in str(refused.value)
    assert not isinstance(refused.value, NotObtainable)


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_missing_archive_is_named_with_the_remedy(name, tiny_archives):
    (tiny_archives.folder / name).unlink()
    with pytest.raises(DataError, match=f"lacks {name}; put all four"):
        found(tiny_archives.folder)


def test_a_spoiled_archive_is_never_papered_over_by_the_sample_set(tiny_archives):
    cut_short(tiny_archives.folder / ARCHIVES[0])
    with pytest.raises(DataError, match="checksum differs"):
        load("auto", [tiny_archives.folder], lambda _: None)


@pytest.mark.usefixtures("mirror")
def test_the_archives_are_downloaded_into_the_first_folder(tiny_archives, tmp_path):
    root = tmp_path / "new" / "root"
    told: list[str] = []
    data = load_fashion_mnist([root, tmp_path / "second"], told.append)
    assert np.array_equal(data.images[:, 0].numpy(), tiny_archives.images)
    assert sorted(path.name for path in files_in(root)) == sorted(ARCHIVES)
    assert told == [f"Downloading Fashion-MNIST (31 MB) to {root / 'FashionMNIST' / 'raw'}."]


def test_what_was_downloaded_is_not_downloaded_again(mirror, tmp_path):
    load_fashion_mnist([tmp_path / "root"], lambda _: None)
    assert mirror.asked
    mirror.asked.clear()
    found(tmp_path / "root")
    assert mirror.asked == []


@pytest.mark.usefixtures("mirror")
def test_a_download_prints_nothing_where_nobody_watches(tmp_path, capfd):
    load_fashion_mnist([tmp_path / "root"], lambda _: None)
    assert capfd.readouterr() == ("", "")


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_the_server_lacks_is_one_sentence(name, mirror, tmp_path):
    del mirror.files[name]
    with pytest.raises(NotObtainable, match=r"404.*--data-dir") as refused:
        load_fashion_mnist([tmp_path / "root"], lambda _: None)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_download_that_failed_is_completed_by_the_next_start(name, mirror, tmp_path):
    content = mirror.files.pop(name)
    with pytest.raises(NotObtainable):
        load_fashion_mnist([tmp_path / "root"], lambda _: None)
    mirror.files[name] = content
    mirror.asked.clear()
    assert len(load_fashion_mnist([tmp_path / "root"], lambda _: None).images) == 100
    assert mirror.asked == [f"/{late}" for late in ARCHIVES[ARCHIVES.index(name) :]]
    assert sorted(path.name for path in (tmp_path / "root").rglob("*.*")) == sorted(ARCHIVES)


def test_a_forged_download_is_thrown_away(mirror, tmp_path):
    mirror.files[ARCHIVES[3]] = bytes(len(mirror.files[ARCHIVES[3]]))
    with pytest.raises(NotObtainable, match="another checksum"):
        load_fashion_mnist([tmp_path / "root"], lambda _: None)
    assert ARCHIVES[3] not in {path.name for path in files_in(tmp_path / "root")}


@pytest.mark.usefixtures("mirror")
def test_a_download_tells_how_much_has_arrived(tiny_archives, tmp_path):
    told = []
    load_fashion_mnist([tmp_path / "root"], lambda _: None, lambda *bytes_: told.append(bytes_))
    size = sum(path.stat().st_size for path in tiny_archives.folder.iterdir())
    assert told[-1] == (size, fashion_mnist.DOWNLOAD_BYTES)


def test_names_and_checksums_are_torchvisions():
    assert list(fashion_mnist.ARCHIVES) == FashionMNIST.resources


def test_the_size_of_a_download_is_that_of_the_real_archives(real_data):
    sizes = [(real_data / name).stat().st_size for name in ARCHIVES]
    assert sum(sizes) == fashion_mnist.DOWNLOAD_BYTES


def test_a_cancelled_download_is_one_sentence(no_mirror, tmp_path):
    with pytest.raises(NotObtainable, match="cancelled; what has arrived is kept"):
        fashion_mnist.download(tmp_path / "root", lambda _: None, cancelled=lambda: True)


@pytest.mark.usefixtures("mirror")
def test_a_full_disk_is_one_sentence_with_the_remedy(tmp_path):
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    partials = tmp_path / "root" / "FashionMNIST" / "raw" / fashion_mnist.PARTIAL
    partials.mkdir(parents=True)
    (partials / ARCHIVES[0]).symlink_to("/dev/full")
    with pytest.raises(NotObtainable, match=r"No space left.*make room.*--data-dir"):
        load_fashion_mnist([tmp_path / "root"], lambda _: None)


def test_looking_for_the_archives_does_not_load_what_downloads_them(tmp_path):
    code = (
        "import sys; from pathlib import Path; from fashiontui.data import fashion_mnist;"
        "fashion_mnist.find([Path('nowhere')]); sys.exit('httpx' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_folder_that_cannot_be_looked_into_is_one_sentence(tmp_path):
    with pytest.raises(DataError, match="Cannot look into"):
        found(tmp_path / ("x" * 300))


@pytest.mark.parametrize("special", ["fifo", "/dev/zero", "folder"])
def test_an_archive_that_is_no_file_is_not_opened(special, tiny_archives):
    archive = tiny_archives.folder / ARCHIVES[0]
    archive.unlink()
    if special == "fifo":
        os.mkfifo(archive)
    elif special == "folder":
        archive.mkdir()
    else:
        archive.symlink_to(special)
    with pytest.raises(DataError, match=f"lacks {ARCHIVES[0]}"):
        found(tiny_archives.folder)


def test_a_huge_archive_is_refused_without_being_read_whole(tiny_archives):
    with (tiny_archives.folder / ARCHIVES[0]).open("wb") as file:
        file.truncate(2**40)  # sparse
    with pytest.raises(DataError, match="is not Fashion-MNIST's"):
        found(tiny_archives.folder)


@pytest.mark.usefixtures("no_mirror")
def test_a_server_that_does_not_answer_is_one_sentence(tmp_path):
    with pytest.raises(NotObtainable, match=r"Cannot download Fashion-MNIST.*refused") as refused:
        load_fashion_mnist([tmp_path / "root"], lambda _: None)
    assert "\n" not in str(refused.value)
    assert refused.value.exit_code is ExitCode.NO_DATA


@pytest.mark.usefixtures("no_mirror")
def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(NotObtainable, match="--data-dir"):
        load_fashion_mnist([tmp_path / "file" / "root"], lambda _: None)


@pytest.mark.usefixtures("no_mirror")
def test_auto_falls_back_to_the_sample_set_and_says_so_loudly(tmp_path):
    told: list[str] = []
    assert load("auto", [tmp_path / "root"], told.append).name == "sample"
    assert "TRAINING ON THE EMBEDDED SAMPLE SET INSTEAD" in told[-1]


@pytest.mark.usefixtures("no_mirror")
def test_fashion_mnist_asked_for_by_name_is_never_replaced(tmp_path):
    with pytest.raises(NotObtainable):
        load("fashion-mnist", [tmp_path / "root"], lambda _: None)


def test_auto_takes_fashion_mnist_where_it_lies(tiny_archives):
    assert load("auto", [tiny_archives.folder], pytest.fail).name == "fashion-mnist"


@pytest.mark.parametrize(
    "broken",
    [
        "raise RuntimeError('operator torchvision::nms does not exist')",
        "import torch; torch.nothing_of_that_name",
    ],
)
def test_a_torchvision_of_another_torch_is_one_sentence_with_the_line_that_mends_it(
    broken, tmp_path
):
    package = tmp_path / "path" / "torchvision"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(broken, encoding="utf-8")
    code = (
        "from pathlib import Path\n"
        "from fashiontui.data import load\n"
        "from fashiontui.domain.errors import DataError\n"
        "try: load('auto', [Path('nowhere')], print)\n"
        "except DataError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(package.parent)},
        check=True,
    )
    assert done.stderr == ""
    *_, sentence = done.stdout.splitlines()
    assert "does not work with torch" in sentence
    assert "pip install --upgrade --force-reinstall torch torchvision" in sentence


def test_the_real_archives_are_read_and_left_as_they_were(real_data):
    before = {path: path.stat().st_mtime_ns for path in real_data.iterdir()}
    found(real_data)
    assert {path: path.stat().st_mtime_ns for path in real_data.iterdir()} == before
