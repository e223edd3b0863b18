"""Clean images in memory: the one type that every source is loaded into."""

import dataclasses
import hashlib
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from kerasgan.errors import DataError
from kerasgan.images.pixels import Pixels
from kerasgan.store.machine import memory

# Decoded images may take this share of the memory there is; the pipeline holds a packed copy.
_MEMORY_SHARE = 0.3
_HELD_OUT_SHARE = 0.1


# What the splits are called, in folders and in datasets.
SPLIT_NAMES = {"train": ("train",), "validation": ("validation", "val"), "test": ("test",)}


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Clean images, of one size or of many.

    Attributes:
        images: arrays (H, W, C), uint8, all of the same C.
        names: what each is called in messages and tables: a file, a row, a title.
    """

    images: tuple[Pixels, ...] = ()
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    def __iter__(self) -> Iterator[Pixels]:
        return iter(self.images)

    def select(self, indices: Iterable[int]) -> "ImageSet":
        """Returns the images at these positions.

        Args:
            indices: positions, in the order wanted.

        Returns:
            A smaller set that shares the arrays.
        """
        chosen = list(indices)
        return ImageSet(tuple(self.images[i] for i in chosen), tuple(self.names[i] for i in chosen))

    def first(self, count: int | None) -> "ImageSet":
        """Returns the first images.

        Args:
            count: how many at most; None for all.

        Returns:
            A set that shares the arrays.
        """
        return ImageSet(self.images[:count], self.names[:count])


@dataclass(frozen=True, eq=False)
class CleanImages:
    """The clean images of one source, split.

    Attributes:
        train: what is learned from.
        validation: what is measured after every epoch.
        test: what is measured at the end; empty where the source has no third split.
        dropped_train: exact repetitions dropped from `train`.
        dropped_held_out: images dropped from the other splits because `train` holds them too.
        skipped: what was wrong with files that had to be left out.
    """

    train: ImageSet = field(default_factory=ImageSet)
    validation: ImageSet = field(default_factory=ImageSet)
    test: ImageSet = field(default_factory=ImageSet)
    dropped_train: int = 0
    dropped_held_out: int = 0
    skipped: tuple[str, ...] = ()

    @classmethod
    def from_splits(cls, splits: Mapping[str, Iterable[tuple[str, Pixels]]]) -> "CleanImages":
        """Gathers images as they are decoded.

        Args:
            splits: pairs of a name and an array (H, W, C), uint8, by "train", "validation", "test".

        Returns:
            All of them, in order.

        Raises:
            DataError: once they outgrow the memory that this process may use.
        """
        budget, size = _MEMORY_SHARE * memory(), 0
        sets = {}
        for split, named_images in splits.items():
            names, images = [], []
            for name, pixels in named_images:
                names.append(name)
                images.append(pixels)
                size += pixels.nbytes
                if size > budget:
                    raise DataError(
                        f"{name} and the images before it take {size / 2**30:.1f} GiB, more than "
                        f"{_MEMORY_SHARE:.0%} of the memory there is; take fewer with --limit"
                    )
            sets[split] = ImageSet(tuple(images), tuple(names))
        return cls(sets["train"], sets.get("validation", ImageSet()), sets.get("test", ImageSet()))

    @property
    def held_out(self) -> ImageSet:
        """What results are reported on: `test` where there is one, else `validation`."""
        return self.test if len(self.test) else self.validation

    def fingerprint(self) -> str:
        """Returns a hash of all pixels, splits and their order, in hexadecimal."""
        total = hashlib.sha256()
        for split in (self.train, self.validation, self.test):
            total.update(len(split).to_bytes(8))
            for image in split:
                total.update(_digest(image))
        return total.hexdigest()[:16]

    def record(self) -> dict[str, str | int]:
        """Returns what these images are known by in a run's config.json."""
        return {
            "fingerprint": self.fingerprint(),
            "train": len(self.train),
            "validation": len(self.validation),
            "test": len(self.test),
        }

    def without_duplicates(self) -> "CleanImages":
        """Drops exact repetitions within `train`, and held-out images that stand in `train`.

        Returns:
            What is left, with the counts.
        """
        seen: set[bytes] = set()
        kept = []
        for index, image in enumerate(self.train):
            digest = _digest(image)
            if digest not in seen:
                seen.add(digest)
                kept.append(index)
        validation, test = (
            split.select(i for i, image in enumerate(split) if _digest(image) not in seen)
            for split in (self.validation, self.test)
        )
        return dataclasses.replace(
            self,
            train=self.train.select(kept),
            validation=validation,
            test=test,
            dropped_train=len(self.train) - len(kept),
            dropped_held_out=len(self.validation) + len(self.test) - len(validation) - len(test),
        )

    def with_held_out(self, seed: int) -> "CleanImages":
        """Splits a source that comes without a validation split.

        A tenth of `train` becomes `validation` and, where there is no `test` either, another tenth
        becomes `test`, as long as something stays to train on.

        Args:
            seed: decides which images.

        Returns:
            The same images, split; unchanged where there is a validation split.

        Raises:
            DataError: if there are not at least one image to train on and one to measure.
        """
        if not len(self.train):
            raise DataError("there are no images to train on")
        if len(self.validation):
            return self
        if len(self.train) < 2:
            raise DataError("there is one image only: training needs one and measuring another")
        order = list(range(len(self.train)))
        random.Random(seed).shuffle(order)
        share = max(1, round(_HELD_OUT_SHARE * len(order)))
        validation, order = order[:share], order[share:]
        test = self.test
        if not len(test) and len(order) > share:
            test, order = self.train.select(order[:share]), order[share:]
        return dataclasses.replace(
            self,
            train=self.train.select(sorted(order)),
            validation=self.train.select(validation),
            test=test,
        )


def _digest(image: Pixels) -> bytes:
    digest = hashlib.blake2b(repr(image.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(image).data)
    return digest.digest()
