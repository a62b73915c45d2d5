"""The compute host's image, built from Debian packages: a root tree, the same tree as a disk, and a kernel.

Entry point: recipe.prepare. Its inputs are the files of this folder and nothing else (packages.txt and modules.txt
are lists for people to edit); their hash is the image's name in the cache. What runs inside (../inside) is no part of
it: that is packed at each start, so changing it costs no build.

The tree is kept beside the disk because the machine that runs the lab takes its QEMU from it: an older QEMU maps the
VFs' memory wrongly (igb's 64-bit BARs cut to 32 bits before QEMU 10.0.3), and so the lab needs none installed.
"""
