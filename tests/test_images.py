"""Test images are had without torch, and only those that the predictions are about."""

import gzip
import subprocess
import sys

import numpy as np
import pytest

from fashiontui.data.sample import sample_set
from fashiontui.domain.errors import DataError
from fashiontui.images.test_images import ARCHIVE
from fashiontui.images.test_images import test_images as images_of_tests


def test_the_sample_sets_images_are_those_that_networks_are_tested_on():
    assert np.array_equal(
        images_of_tests("sample", []), sample_set().test_images.squeeze(1).numpy()
    )


def test_the_real_images_are_found_in_any_of_the_folders(real_data, tmp_path):
    found = images_of_tests("fashion-mnist", [tmp_path, real_data])
    assert (found.shape, found.dtype) == ((10_000, 28, 28), np.uint8)


def test_images_that_are_nowhere_say_how_to_get_them(tmp_path):
    with pytest.raises(DataError, match="not on this machine; d gets"):
        images_of_tests("fashion-mnist", [tmp_path])


def test_another_file_of_that_name_is_refused_by_its_checksum(tmp_path):
    (tmp_path / ARCHIVE).write_bytes(gzip.compress(b"something else"))
    with pytest.raises(DataError, match="its checksum differs"):
        images_of_tests("fashion-mnist", [tmp_path])


def test_images_need_no_torch():
    code = (
        "import sys; from fashiontui.images.test_images import test_images as t; "
        "t('sample', []); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
