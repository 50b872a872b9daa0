# What a newcomer types: `make demo` and `make test`. Both install what is missing and are quick when nothing is.
#
#   make demo [ARGS="..."]   show Landfall at work: broker, centre and kiosk on this machine
#   make test [ARGS="..."]   run the tests, with a real broker and a real database (-n 0: in one process)
#   make powercut [ARGS=".."] cut the power of real kiosks at every write and at 1,000 random moments (root, 20 minutes)
#   make hil [ARGS="..."]    run the kiosk at real devices of a virtual machine (root, 5 minutes; 15 more once)
#   make bench [ARGS="..."]  measure, side by side with what else could be used
#   make camera [ARGS="..."] run the camera's process on the true picamera2 (builds it once: 4 minutes)
#   make fuzz [ARGS="..."]   throw a million altered inputs at every parser (--seconds 60: a minute each)
#   make deb                 build the Debian packages, for this machine and for a Raspberry Pi, into dist/
#   make deb-test            install, upgrade, downgrade, remove and purge them in real Debian systems, and start one
#                            from a fresh card (root, minutes)
#   make field               go from blank machines to a centre and two kiosks at work, and count what is typed (root)
#   make lint                check style and formatting
#   make lock [UPGRADE=1]    write the lock files anew from setup.cfg
#   make clean               remove everything that these targets made in this folder
#
# PYTHON=/path/to/python3.11 picks the interpreter; otherwise the first that is new enough is taken.

SHELL := /bin/bash
export PYTHON
export PIP_DISABLE_PIP_VERSION_CHECK := 1

VENV := .venv
BIN := $(VENV)/bin
LOCKS := provisioning/locks
INSTALLED := $(VENV)/.installed
TOOLS_INSTALLED := $(VENV)/.tools-installed
PIP_INSTALL := $(BIN)/python -m pip install --quiet --require-hashes --only-binary :all:

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test powercut hil bench camera lint lock clean broker test-servers deb deb-test field

help:
	@sed -n 's/^#   //p' Makefile

demo: $(INSTALLED) broker
	@$(BIN)/landfall-provision demo $(ARGS)

test: $(INSTALLED) test-servers
	@$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder $(ARGS)

powercut: $(INSTALLED)
	@provisioning/prepare packages mosquitto fuse3 e2fsprogs
	@$(BIN)/python -m tests.powercut $(ARGS)

hil: $(INSTALLED)
	@provisioning/prepare packages linux-source-6.12 mmdebstrap e2fsprogs gcc make libc6-dev flex bison bc libelf-dev
	@$(BIN)/python -m pytest tests/hil --hil --timeout 600 -s $(ARGS)

bench: $(INSTALLED) test-servers
	@$(BIN)/python -m bench $(ARGS)

# In a folder of its own, because a build that is there once serves every checkout.
LIBCAMERA := $(or $(LANDFALL_LIBCAMERA),$(HOME)/.cache/landfall/libcamera)

camera: $(INSTALLED)
	@tests/hw/libcamera/build $(LIBCAMERA)
	@LANDFALL_LIBCAMERA=$(LIBCAMERA) $(BIN)/python -m pytest tests/hw/libcamera $(ARGS)

fuzz: $(INSTALLED)
	@$(BIN)/python -m tests.fuzz $(ARGS)

deb: $(INSTALLED) $(TOOLS_INSTALLED)
	@provisioning/prepare packages build-essential debhelper lintian
	@debian/build dist amd64 arm64

deb-test: deb
	@provisioning/prepare packages mmdebstrap qemu-user-static arch-test faketime iproute2
	@$(BIN)/python -m pytest -n 0 -m debian $(ARGS) tests/packaging tests/field

field: deb
	@provisioning/prepare packages mmdebstrap faketime iproute2
	@$(BIN)/python -m pytest -n 0 -m debian $(ARGS) tests/field

lint: $(INSTALLED) $(TOOLS_INSTALLED)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@provisioning/prepare packages shellcheck
	@shellcheck .ci/run debian/assemble debian/build debian/*.p{re,ost}{inst,rm} provisioning/prepare

broker:
	@provisioning/prepare packages mosquitto

test-servers:
	@provisioning/prepare packages mosquitto postgresql systemd udev iproute2 fuse3 e2fsprogs faketime fonts-ocr-b umockdev \
		libxkbcommon0 xkb-data chromium

# No path, no index and no time of making gets into a lock file, so two people who lock get the same bytes.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links $(if $(UPGRADE),--upgrade)

lock: $(TOOLS_INSTALLED)
	@$(COMPILE) setup.cfg --extra pi --output-file $(LOCKS)/kiosk.txt
	@$(COMPILE) setup.cfg --extra central --extra provisioning --extra bench --extra test --group build \
		--output-file $(LOCKS)/development.txt
	@$(COMPILE) setup.cfg --extra central --extra provisioning --output-file $(LOCKS)/central.txt
	@$(COMPILE) --group tools --output-file $(LOCKS)/tools.txt

clean:
	rm -rf $(VENV) build dist landfall.egg-info .pytest_cache .ruff_cache .hypothesis ci-output
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): setup.cfg pyproject.toml $(LOCKS)/development.txt
	@provisioning/prepare venv $(VENV)
	@echo "Installing Landfall and its libraries into $(VENV) ..."
	@$(PIP_INSTALL) -r $(LOCKS)/development.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --no-index --editable .
	@touch $@

# Before the first lock there is nothing to install the tools from; uv then has to come from elsewhere.
$(TOOLS_INSTALLED): $(LOCKS)/tools.txt
	@provisioning/prepare venv $(VENV)
	@$(PIP_INSTALL) -r $(LOCKS)/tools.txt
	@touch $@
