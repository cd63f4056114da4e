// The only file that includes PostgreSQL's headers. C++ and the core come first: postgres.h redefines printf and friends.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <memory_resource>
#include <new>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/base/arena.hpp"
#include "core/base/bytes.hpp"
#include "core/base/event_id.hpp"
#include "core/base/hash.hpp"
#include "core/base/instant.hpp"
#include "core/base/near.hpp"
#include "core/base/time.hpp"
#include "core/program/program.hpp"
#include "core/program/trackers.hpp"
#include "core/route/route.hpp"
#include "core/score/score.hpp"
#include "core/state/delta.hpp"
#include "core/state/home.hpp"

extern "C" {
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"
}

// Names that PostgreSQL takes from C++.
#undef Max
#undef Min
#undef Abs
#undef printf
#undef snprintf
#undef fprintf
#undef sprintf
#undef vsnprintf
#undef strerror
#undef qsort

#if PG_VERSION_NUM < 150000 || (PG_VERSION_NUM >= 190000 && !defined(PQL_EXPERIMENTAL))
#error "pql is made for PostgreSQL 15 to 18 (define PQL_EXPERIMENTAL to try another)"
#endif
