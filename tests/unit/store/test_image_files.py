import hashlib
from pathlib import Path
from uuid import uuid4

import pytest

from fairlead.model.errors import Conflict, Fault, NotFound, TooLarge
from fairlead.model.ids import ImageId
from fairlead.store.image_files import ImageFiles


def fresh() -> ImageId:
    return ImageId(str(uuid4()))


def test_data_is_there_once_it_is_kept(tmp_path: Path) -> None:
    files, image = ImageFiles(tmp_path / "images"), fresh()
    incoming = files.receive(image)
    incoming.write(b"fair")
    incoming.write(b"lead")
    with pytest.raises(Conflict, match="share that directory"):
        files.path(image)
    kept = incoming.keep()
    incoming.drop()
    assert files.path(image).read_bytes() == b"fairlead"
    assert (kept.size, kept.md5) == (8, hashlib.md5(b"fairlead", usedforsecurity=False).hexdigest())
    assert kept.sha512 == hashlib.sha512(b"fairlead").hexdigest()
    assert [path.name for path in (tmp_path / "images").iterdir()] == [image]


def test_what_is_dropped_leaves_the_old_data(tmp_path: Path) -> None:
    files, image = ImageFiles(tmp_path), fresh()
    first = files.receive(image)
    first.write(b"old")
    first.keep()
    first.drop()
    second = files.receive(image)
    second.write(b"new")
    second.drop()
    assert files.path(image).read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == [image]


def test_more_than_the_limit_is_refused(tmp_path: Path) -> None:
    files = ImageFiles(tmp_path, limit_bytes=3)
    incoming = files.receive(fresh())
    incoming.write(b"abc")
    with pytest.raises(TooLarge):
        incoming.write(b"d")
    incoming.drop()
    assert list(tmp_path.iterdir()) == []


def test_removed_data_is_gone_and_removing_it_again_is_nothing(tmp_path: Path) -> None:
    files, image = ImageFiles(tmp_path), fresh()
    incoming = files.receive(image)
    incoming.keep()
    incoming.drop()
    with files.path(image).open("rb") as reader:
        files.remove(image)
        files.remove(image)
        assert reader.read() == b""
    with pytest.raises(Conflict):
        files.path(image)


@pytest.mark.parametrize("image", ["../../etc/passwd", "", "x" * 5000])
def test_an_id_names_nothing_outside(tmp_path: Path, image: str) -> None:
    files = ImageFiles(tmp_path)
    for asked in (files.path, files.remove, files.receive):
        with pytest.raises(NotFound):
            asked(ImageId(image))


def test_an_upload_that_nobody_goes_on_with_is_interrupted(tmp_path: Path) -> None:
    ours, theirs, image, other = ImageFiles(tmp_path), ImageFiles(tmp_path), fresh(), fresh()
    going_on = ours.receive(image)
    assert list(theirs.interrupted()) == []
    (tmp_path / f".part-{other}-1").write_bytes(b"half, and nobody has it open")
    looking = theirs.interrupted()
    assert next(looking) == other
    looking.close()
    assert list(theirs.interrupted()) == [other]
    assert list(theirs.interrupted()) == []
    going_on.write(b"whole")
    going_on.keep()
    assert list(theirs.interrupted()) == []
    going_on.drop()
    assert [path.name for path in tmp_path.iterdir()] == [image]


def test_what_was_kept_is_taken_back_unless_other_data_is_there(tmp_path: Path) -> None:
    files, image = ImageFiles(tmp_path), fresh()
    first, second = files.receive(image), files.receive(image)
    first.keep()
    first.withdraw()
    first.withdraw()
    assert not (tmp_path / image).exists()
    first.keep()
    second.keep()
    first.withdraw()
    assert files.path(image).exists()
    first.drop()
    second.drop()


def test_a_disk_that_refuses_says_what_was_being_done(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Fault, match=r"making .*/file/images failed: Not a directory") as fault:
        ImageFiles(tmp_path / "file" / "images")
    assert fault.value.failure.code == "image_file"
