# SPDX-License-Identifier: Apache-2.0
# Shortcuts only: what is built and how stands in meson.build and tools/.
B ?= build
.PHONY: all setup demo demo-full test test-all e2e bench fuzz lint cov san mutants gauges install deb clean
all: $(B)/build.ninja
	@ninja -C $(B)
$(B)/build.ninja:
	@tools/setup --if-missing
	@meson setup $(B) $(MESON_ARGS) >/dev/null
setup:
	@tools/setup
demo demo-full test test-all e2e bench fuzz lint cov san mutants gauges deb:
	@tools/make-$@
# An own build folder, since the prefix stands in units and man pages.
PREFIX ?= /usr
install:
	@tools/setup --if-missing
	@[ -f $(B)-install/build.ninja ] || meson setup $(B)-install --prefix=$(PREFIX) >/dev/null
	@meson configure $(B)-install -Dprefix=$(PREFIX) && ninja -C $(B)-install >/dev/null
	@DESTDIR=$(abspath $(DESTDIR)) meson install -C $(B)-install --no-rebuild >/dev/null
clean:
	rm -rf $(B)
