# Builds and installs the extension; the only way to build pql.so. The core's own tests, and pqlctl, are built by CMakeLists.txt.
EXTENSION  = pql
EXTVERSION = $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" pql.control)
MODULE_big = pql
PG_CONFIG ?= pg_config

SOURCES = $(sort $(filter-out src/fn/inject.cpp, $(wildcard src/core/*/*.cpp src/pg/*.cpp src/fn/*.cpp src/worker/*.cpp)))
OBJS    = $(SOURCES:.cpp=.o)

INSTALL_SQL = build/$(EXTENSION)--$(EXTVERSION).sql
DATA        = $(wildcard sql/upgrade/*--*--*.sql)
DATA_built  = $(INSTALL_SQL)
EXTRA_CLEAN = build/$(EXTENSION)--*.sql build/lexicon.sql build/inject $(OBJS:.o=.d)

REGRESS        = $(patsubst sql/%.sql,%,$(sort $(wildcard sql/*.sql)))
REGRESS_OPTS   = --load-extension=pql
ISOLATION      = $(patsubst test/isolation/specs/%.spec,%,$(sort $(wildcard test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test/isolation --load-extension=pql

# JIT gains nothing behind a wall of C++, and PGXS would compile the bitcode without our flags.
override with_llvm := no

WARNINGS = -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers -Wno-sign-compare
PG_CXXFLAGS = -std=c++20 -O2 -g1 -fvisibility=hidden -fvisibility-inlines-hidden -MMD -MP $(WARNINGS) $(EXTRA_CXXFLAGS)
PG_CPPFLAGS = -Isrc -isystem $(shell $(PG_CONFIG) --includedir-server) \
              -DPGDLLEXPORT='__attribute__((visibility("default")))'
SHLIB_LINK  = -lre2 -lutf8proc -lstdc++ -Wl,--version-script=src/pg/exports.map

ifdef WERROR
PG_CXXFLAGS += -Werror
endif

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

src/fn/version.o: override CPPFLAGS += -DPQL_VERSION='"$(EXTVERSION)"'
src/fn/version.o: pql.control

# For test/tap/boundary.pl, the library with the errors of src/fn/inject.cpp; all its other objects are the extension's.
ifdef INJECT
all: build/inject/pql.so
endif
build/inject/pql.so: $(OBJS) build/inject/inject.o
	$(LINK.shared) -o $@ $^ $(LDFLAGS) $(LDFLAGS_SL) $(SHLIB_LINK)
build/inject/inject.o: src/fn/inject.cpp
	@mkdir -p build/inject
	$(COMPILE.cc) -o $@ $<

# Programs to start from, and the schema of what may stand in them: in a folder of their own.
DOCUMENTS = doc/program.schema.json doc/context.schema.json $(sort $(wildcard programs/*.json))
.PHONY: install-documents uninstall-documents
install: install-documents
install-documents:
	$(MKDIR_P) '$(DESTDIR)$(datadir)/pql'
	$(INSTALL_DATA) $(addprefix $(srcdir)/, $(DOCUMENTS)) '$(DESTDIR)$(datadir)/pql/'
uninstall: uninstall-documents
uninstall-documents:
	rm -rf '$(DESTDIR)$(datadir)/pql'

# pqlctl is built by CMake, and only when it is asked for: the extension needs none of its libraries. It goes where PostgreSQL's
# own programs are, or below PREFIX.
CTL_BINDIR = $(if $(PREFIX),$(PREFIX)/bin,$(bindir))
CTL_MANDIR = $(if $(PREFIX),$(PREFIX)/share/man,$(mandir))
CTL_COMPLETIONS = $(if $(PREFIX),$(PREFIX),/usr)/share/bash-completion/completions
.PHONY: pqlctl install-pqlctl uninstall-pqlctl
pqlctl:
	cmake -S $(srcdir) -B build/cmake $(if $(WERROR),-D PQL_WERROR=ON)
	cmake --build build/cmake --target pqlctl $(if $(filter -j%,$(MAKEFLAGS)),,-j 2)
install-pqlctl: pqlctl
	build/cmake/pqlctl man > build/pqlctl.1
	build/cmake/pqlctl completion bash > build/pqlctl.bash
	$(MKDIR_P) '$(DESTDIR)$(CTL_BINDIR)' '$(DESTDIR)$(CTL_MANDIR)/man1' '$(DESTDIR)$(CTL_COMPLETIONS)'
	$(INSTALL_PROGRAM) build/cmake/pqlctl '$(DESTDIR)$(CTL_BINDIR)/'
	$(INSTALL_DATA) build/pqlctl.1 '$(DESTDIR)$(CTL_MANDIR)/man1/'
	$(INSTALL_DATA) build/pqlctl.bash '$(DESTDIR)$(CTL_COMPLETIONS)/pqlctl'
uninstall-pqlctl:
	rm -f '$(DESTDIR)$(CTL_BINDIR)/pqlctl' '$(DESTDIR)$(CTL_MANDIR)/man1/pqlctl.1' '$(DESTDIR)$(CTL_COMPLETIONS)/pqlctl'

# What PGXN takes: what is committed.
.PHONY: dist
dist:
	@mkdir -p build
	git archive --format=zip --prefix=$(EXTENSION)-$(EXTVERSION)/ -o build/$(EXTENSION)-$(EXTVERSION).zip HEAD

# The install script is its topics, in order, with their templates expanded. Sources say CREATE OR REPLACE so that an update can
# reuse them; the install script must not, or whoever creates an object first would own a piece of the extension.
.DELETE_ON_ERROR:
$(INSTALL_SQL): $(sort $(wildcard sql/src/*.sql)) sql/expand.awk doc/program.schema.json doc/context.schema.json build/lexicon.sql pql.control
	@mkdir -p build
	sed -E 's/^CREATE OR REPLACE /CREATE /' $(sort $(wildcard sql/src/*.sql)) | awk -f sql/expand.awk > $@

# The lexica as rows of pql.lexicon.
build/lexicon.sql: $(sort $(wildcard lexicon/*.tsv)) sql/lexicon.awk pql.control
	@mkdir -p build
	LC_ALL=C awk -v version=$(EXTVERSION) -f sql/lexicon.awk $(sort $(wildcard lexicon/*.tsv)) > $@

-include $(OBJS:.o=.d) build/inject/inject.d
