"""A tree of sources that answers what a kernel's build asks for, in seconds: configurations, an image that a real cross
compiler made, one module, one device tree. It refuses to know who asks.
"""

import pathlib
import textwrap

# Its image begins with the text that stands in init/main.c, so that a test sees which sources it was built from.
MAKEFILE = r"""
VERSION = 6
RELEASE := 6.1.99$(LOCALVERSION)
LINKS := $(O)/arch/arm64/boot
MODULES := $(INSTALL_MOD_PATH)/lib/modules/$(RELEASE)

.PHONY: tinyconfig olddefconfig Image modules dtbs modules_install
tinyconfig:
	@mkdir -p $(O)/include/config
	@printf 'CONFIG_MODULES=y\nCONFIG_OF=y\n' > $(O)/.config
olddefconfig:
	@grep -v CONFIG_IMPOSSIBLE $(O)/.config > $(O)/.config.new; mv $(O)/.config.new $(O)/.config
Image: init/main.c
	@echo '  CC      init/main.o'
	@test ! -e slow || { touch $(O)/slow; sleep 300.25; }
	@mkdir -p $(LINKS)
	@$(CC) -c init/main.c -o $(O)/main.o
	@$(CROSS_COMPILE)objcopy -O binary -j .rodata $(O)/main.o $(LINKS)/Image
	@test ! -d .git || git rev-list --count HEAD >> $(LINKS)/Image
	@cat $(O)/.config >> $(LINKS)/Image
	@echo $(RELEASE) > $(O)/include/config/kernel.release
modules: drivers/dummy.c
	@echo '  CC [M]  drivers/dummy.o'
	@$(CC) -c drivers/dummy.c -o $(O)/dummy.ko
dtbs:
	@echo '  DTC     arch/arm64/boot/dts/broadcom/bcm2711-rpi-4-b.dtb'
	@mkdir -p $(LINKS)/dts/broadcom && echo tree > $(LINKS)/dts/broadcom/bcm2711-rpi-4-b.dtb
modules_install:
	@mkdir -p $(MODULES)/kernel && cp $(O)/dummy.ko $(MODULES)/kernel/
	@touch $(MODULES)/modules.order $(MODULES)/modules.builtin
"""

# -m -O OBJECTS CONFIGURATION FRAGMENT, as the kernel's own takes them.
MERGE = '#!/bin/sh\ncat "$5" >> "$4"\n'


def make_tree(folder, says):
    """The tree as `folder`, whose kernel says `says`; its path."""
    folder = pathlib.Path(folder)
    for name in ("init", "drivers", "scripts/kconfig"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "Makefile").write_text(MAKEFILE.lstrip())
    (folder / "Kconfig").write_text(textwrap.dedent("""\
        config IMPOSSIBLE
        \tbool "What no machine has"
        \tdepends on MACHINE
        """))
    (folder / "scripts/kconfig/merge_config.sh").write_text(MERGE)
    (folder / "drivers/dummy.c").write_text(
        'const char licence[] __attribute__((section(".modinfo"))) = "license=GPL";\n')
    set_words(folder, says)
    return folder


def set_words(folder, says):
    (pathlib.Path(folder) / "init/main.c").write_text(f'const char words[] = "{says}\\n";\n')


def words_patch(before, after):
    """A patch that makes the kernel say `after`."""
    line = 'const char words[] = "{}\\n";'.format
    return f"--- a/init/main.c\n+++ b/init/main.c\n@@ -1 +1 @@\n-{line(before)}\n+{line(after)}\n"
