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
install: all
	@DESTDIR=$(DESTDIR) meson install -C $(B) --no-rebuild
clean:
	rm -rf $(B)
