# SPDX-License-Identifier: GPL-2.0
# Targets for people. The kernel's build reads Kbuild, which also has the version.

KDIR ?= /lib/modules/$(shell uname -r)/build
BUILD ?= $(CURDIR)/build
PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
# Where gmemctl finds its files: see tools/gmemctl/cli/process.c
LIBDIR := $(SBINDIR)/../lib/gmem
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
FILE ?= $(CURDIR)/COPYING

GMEM_VERSION := $(shell sed -n 's/.*(or $$(GMEM_VERSION),\([0-9.]*\)).*/\1/p' Kbuild)
export GMEM_VERSION

MAKEFLAGS += --no-print-directory
ifeq ($(V),1)
Q :=
else
Q := @
endif

# Files that kbuild leaves beside the sources.
LITTER := -name '*.o' -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' \
	-o -name '.*.cmd' -o -name '.*.d'

# Manual pages as NAME.SECTION; `make uninstall` uses these names, too.
MAN_SECTIONS := 1 4 8
MAN_FILES := $(foreach s,$(MAN_SECTIONS),$(patsubst Documentation/man/%.rst,%.$(s),\
	$(sort $(shell grep -lx ':Manual section: $(s)' Documentation/man/*.rst))))
MAN_PAGES := $(MAN_FILES:%=$(BUILD)/man/%)
RST2MAN := $(firstword $(shell command -v rst2man rst2man.py))

.PHONY: all modules tools man selftests check test demo bench kernels kdir
.PHONY: install install-modules install-tools install-headers install-man
.PHONY: uninstall uninstall-man deb test-packages site clean help

all: modules tools selftests

kdir:
	@test -d "$(KDIR)" || { \
		echo "make: no kernel build tree at $(KDIR)" >&2; \
		echo "  install it:      apt-get install linux-headers-$$(uname -r)" >&2; \
		echo "  or name another: make KDIR=/path/to/build/tree" >&2; \
		echo "  ('make test' and 'make demo' bring their own kernels)" >&2; \
		exit 1; }

modules: kdir
	$(Q)$(MAKE) -C $(KDIR) M=$(CURDIR) modules

tools: $(if $(RST2MAN),man)
	$(Q)$(MAKE) -C tools/gmemctl OUT=$(BUILD)
	$(Q)$(MAKE) -C tools/pvmemctl OUT=$(BUILD)

man: $(MAN_PAGES)

define man-rule
$(BUILD)/man/%.$(1): Documentation/man/%.rst
	@test -n "$(RST2MAN)" || { \
		echo "make: no rst2man: apt-get install python3-docutils" >&2; exit 1; }
	@mkdir -p $$(@D)
	$(Q)$(RST2MAN) --strict --report=1 $$< $$@.new && mv $$@.new $$@
endef
$(foreach s,$(MAN_SECTIONS),$(eval $(call man-rule,$(s))))

selftests:
	$(Q)$(MAKE) -C selftests OUT=$(BUILD)/selftests
	$(Q)$(MAKE) -C tools/gmemctl OUT=$(BUILD) sim

check:
	$(Q)selftests/check/run.sh

# T= KERNEL= KDIR= ACCEL= SEED= STRESS= FUZZ_SECONDS= MEM= TIMEOUT= SHELL_IN_VM= are read
# from the environment, to which make adds the variables of its command line. KDIR is used
# only if it was given.
test: export KDIR := $(if $(filter command line environment,$(origin KDIR)),$(KDIR))
test:
	$(Q)selftests/vm/run.sh

demo:
	$(Q)selftests/vm/demo.sh "$(FILE)"

# KERNEL= CASES= are read from the environment, too.
bench:
	$(Q)selftests/vm/bench.sh

kernels:
	$(Q)selftests/vm/prepare.sh stock-6.12 stock-7.3 slim-7.3 debug-7.3 race-6.12

# Builds nothing, so that root creates no files in the tree.
install: install-modules install-tools install-headers

install-modules: kdir
	@test -e gmem.ko || { \
		echo "make: no modules to install yet: run 'make' first" >&2; exit 1; }
	@! grep -qs _test modules.order || { \
		echo "make: built with GMEM_TEST=1, for tests only: run 'make' first" >&2; exit 1; }
	$(Q)$(MAKE) -C $(KDIR) M=$(CURDIR) INSTALL_MOD_PATH=$(DESTDIR) modules_install

install-tools: install-man
	@test -e $(BUILD)/gmemctl -a -e $(BUILD)/pvmemctl || { \
		echo "make: no tools to install yet: run 'make' first" >&2; exit 1; }
	$(Q)install -d $(DESTDIR)$(SBINDIR)
	$(Q)install -m 755 $(BUILD)/gmemctl $(BUILD)/pvmemctl $(DESTDIR)$(SBINDIR)/
	$(Q)test ! -e $(BUILD)/libgmem-exec.so || install -D -m 644 \
		$(BUILD)/libgmem-exec.so $(DESTDIR)$(LIBDIR)/libgmem-exec.so
	$(Q)test ! -e $(BUILD)/selftests/gmem_bench || install -D -m 755 \
		$(BUILD)/selftests/gmem_bench $(DESTDIR)$(LIBDIR)/gmem_bench
	$(Q)install -D -m 644 packaging/gmemctl.bash-completion \
		$(DESTDIR)$(COMPLETIONDIR)/gmemctl

install-headers:
	$(Q)install -d $(DESTDIR)$(INCLUDEDIR)/linux
	$(Q)install -m 644 uapi/linux/*.h $(DESTDIR)$(INCLUDEDIR)/linux/

# Debian packages, in build/deb/
deb:
	$(Q)packaging/deb.sh

test-packages:
	$(Q)packaging/test.sh

# Documentation/ as HTML, in build/site/
site:
	$(Q)Documentation/site.sh

# Installs the pages that have been built.
install-man:
	$(Q)install -d $(MAN_SECTIONS:%=$(DESTDIR)$(MANDIR)/man%)
	$(Q)for page in $(MAN_FILES); do \
		test ! -e $(BUILD)/man/$$page || install -m 644 \
		$(BUILD)/man/$$page $(DESTDIR)$(MANDIR)/man$${page##*.}/ || exit 1; done

uninstall-man:
	$(Q)for page in $(MAN_FILES); do \
		rm -f $(DESTDIR)$(MANDIR)/man$${page##*.}/$$page; done

uninstall: kdir uninstall-man
	$(Q)rm -f $(DESTDIR)$(LIBDIR)/libgmem-exec.so $(DESTDIR)$(LIBDIR)/gmem_bench
	$(Q)rmdir $(DESTDIR)$(LIBDIR) 2>/dev/null || true
	$(Q)rm -f $(DESTDIR)$(SBINDIR)/gmemctl $(DESTDIR)$(SBINDIR)/pvmemctl
	$(Q)rm -f $(DESTDIR)$(COMPLETIONDIR)/gmemctl
	$(Q)cd uapi/linux && for h in *.h; do \
		rm -f $(DESTDIR)$(INCLUDEDIR)/linux/$$h; done
	$(Q)release=$$($(MAKE) -s -C $(KDIR) kernelrelease) && \
		rm -f $(DESTDIR)/lib/modules/$$release/updates/gmem.ko* \
			$(DESTDIR)/lib/modules/$$release/updates/gmem_kvm.ko* \
			$(DESTDIR)/lib/modules/$$release/updates/gmem_guest.ko* \
			$(DESTDIR)/lib/modules/$$release/updates/pvmemcontrol.ko*

clean:
	$(Q)rm -rf $(BUILD)
	$(Q)rm -f Module.symvers modules.order
	$(Q)find . -maxdepth 1 -type f \( $(LITTER) \) -delete
	$(Q)find module -type f \( $(LITTER) \) -delete

help:
	@echo 'gmem $(GMEM_VERSION)'
	@echo
	@echo '  make              modules, tools and selftests'
	@echo '  make modules      gmem.ko, gmem_kvm.ko; for guests gmem_guest.ko, pvmemcontrol.ko'
	@echo '                    KDIR=$(KDIR)'
	@echo '  make tools        build/gmemctl, build/pvmemctl, and manual pages if rst2man'
	@echo '                    is there'
	@echo '  make man          build/man/*.1, *.4, *.8'
	@echo '  make selftests    build/selftests/*_test, build/gmemctl-sim.so'
	@echo '  make demo         a guest computes on FILE= in private memory, in a VM'
	@echo '  make bench        what gmem costs beside what others do, in instructions'
	@echo '  make test         the unit tests, and the selftests in VMs of five kernels'
	@echo '                    T=topic KERNEL=stock-6.12|stock-7.3|debug-7.3|race-6.12|arm64-6.12|'
	@echo '                    bzImage+KDIR='
	@echo '                    ACCEL=tcg|kvm SEED=n STRESS=s FUZZ_SECONDS=s SHELL_IN_VM=1'
	@echo '  make check        static checks, without a VM'
	@echo '  make kernels      fetch and build the kernels of the VMs'
	@echo '  make install      DESTDIR= PREFIX=$(PREFIX)'
	@echo '  make site         the documentation as HTML, in build/site'
	@echo '  make deb          Debian packages, in build/deb'
	@echo '  make test-packages  install them in fresh roots of Debian 12 and 13 (SUITE=), as root'
	@echo '  make clean        remove what was built (kernels stay in the cache)'
	@echo
	@echo '  V=1 shows the commands. Packages that are missing are installed when'
	@echo '  run as root, and named otherwise. make itself needs no root.'
