// Errors on purpose, to test the wall. Only in build/inject/pql.so (make INJECT=1), which test/tap/boundary.pl loads.
// inject.walk('spi/guard/raise') goes through the layers from the left, C++ to PostgreSQL and back in each, and ends in the
// failure on the right. Whatever the path, the failure must arrive as it began, and everything must be as it was.
#include "pg/guard.hpp"
#include "pg/memory.hpp"
#include "pg/spi.hpp"
#include "pg/srf.hpp"

extern "C" {
#include <malloc.h>
#include <sys/resource.h>

#include "nodes/makefuncs.h"
#include "storage/bufmgr.h"
#if PG_VERSION_NUM >= 170000
#include "utils/memutils_internal.h"
#endif
#include "utils/resowner.h"
}

namespace pql::pg {
namespace {

constexpr std::size_t kTooMuch = std::size_t{1} << 62; // more than any process can address

// An object whose destructor must run, whatever passes it.
struct Live {
  static inline std::int64_t count = 0;
  std::string text = "longer than what fits into the string itself";
  Live() { count++; }
  Live(const Live &) = delete;
  Live &operator=(const Live &) = delete;
  ~Live() { count--; }
};

std::string &damage() {
  static auto &d = *new std::string; // never destroyed
  return d;
}

void expect(bool right, const char *where, const char *what) {
  if (!right) damage() += std::string(where) + " doesn't restore " + what + "; ";
}

// What C++ finds as it was after a call, however that ended.
class Wall {
public:
  explicit Wall(const char *where) : where_(where) {}
  void check() const {
    expect(stack_ == PG_exception_stack, where_, "PG_exception_stack");
    expect(contexts_ == error_context_stack, where_, "error_context_stack");
    expect(memory_ == CurrentMemoryContext, where_, "CurrentMemoryContext");
    expect(home_ == error_home, where_, "error_home");
    expect(hold_ == InterruptHoldoffCount, where_, "InterruptHoldoffCount");
    expect(CritSectionCount == 0 && QueryCancelHoldoffCount == 0, where_, "the other counts");
  }

private:
  const char *where_;
  sigjmp_buf *stack_ = PG_exception_stack;
  ErrorContextCallback *contexts_ = error_context_stack;
  MemoryContext memory_ = CurrentMemoryContext, home_ = error_home;
  uint32 hold_ = InterruptHoldoffCount;
};

template <class F>
std::string checked(const char *where, F &&f) {
  const Wall wall(where);
  const Live live;
  try {
    std::string r = f();
    wall.check();
    return r;
  } catch (...) {
    wall.check();
    throw;
  }
}

// --- what goes wrong ------------------------------------------------------------------------------------------------------

// Inside call().
void add_context(const char *text) {
  static ErrorContextCallback callback; // static: where a test fails, it is called when this frame is gone
  callback = {error_context_stack, [](void *p) { errcontext("%s", static_cast<const char *>(p)); }, const_cast<char *>(text)};
  error_context_stack = &callback;
}

void raise() {
  call([] {
    add_context("injected context");
    ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION), errmsg("injected error"), errdetail("Injected detail."),
                    errhint("Injected hint."), err_generic_string(PG_DIAG_CONSTRAINT_NAME, "injected_constraint"),
                    err_generic_string(PG_DIAG_TABLE_NAME, "injected_table")));
  });
}

void fail_here() { fail(ERRCODE_CARDINALITY_VIOLATION, "injected failure", "Injected detail.", "Injected hint."); }

// Takes what a transaction has to give back: lock, relation, snapshot, pins, an entry of a cache. Inside call().
void take_everything() {
  Relation rel = table_openrv(makeRangeVar(pstrdup("inject"), pstrdup("held"), -1), ShareRowExclusiveLock);
  TableScanDesc scan = table_beginscan(rel, RegisterSnapshot(GetLatestSnapshot()), 0, nullptr);
  if (!heap_getnext(scan, ForwardScanDirection)) elog(ERROR, "inject.held is empty");
  (void)ReadBuffer(rel, 0);
  if (!HeapTupleIsValid(SearchSysCache1(RELOID, ObjectIdGetDatum(RelationGetRelid(rel))))) elog(ERROR, "no cache entry");
}

// Is anything left of that? Inside call().
void look_at_held(bool &open, bool &pinned) {
  Relation rel = table_openrv(makeRangeVar(pstrdup("inject"), pstrdup("held"), -1), AccessShareLock);
  open = rel->rd_refcnt != 1;
  Buffer page = ReadBuffer(rel, 0);
  pinned = true;
  for (int i = 0; pinned && i < 10; i++) { // somebody may be writing it
    pinned = !ConditionalLockBufferForCleanup(page);
    if (pinned) pg_usleep(1000);
  }
  if (!pinned) LockBuffer(page, BUFFER_LOCK_UNLOCK);
  ReleaseBuffer(page);
  table_close(rel, AccessShareLock);
}

// As the core would be interrupted. Under HOLD_INTERRUPTS() it goes on.
void loop() {
  for (;;) {
    const Live live;
    if (!InterruptPending) continue;
    if (InterruptHoldoffCount) return;
    call([] { CHECK_FOR_INTERRUPTS(); });
  }
}

// An Spi's memory is current until it is finished, or until enter() puts back what was.
struct Memory {
  MemoryContext before = CurrentMemoryContext;
  ~Memory() { MemoryContextSwitchTo(before); }
};

void query(const char *literal) {
  const Memory memory;
  Spi spi;
  checked("a query", [&] {
    spi.run(literal);
    return std::string();
  });
  spi.finish();
}

// An error that can't even be copied: the memory it would be copied to gives nothing.
void uncopied() {
  MemoryContext const full = call([] { return AllocSetContextCreateInternal(TopTransactionContext, "full", ALLOCSET_SMALL_SIZES); });
  const MemoryContextMethods *working = full->methods;
  static MemoryContextMethods failing;
  failing = *working;
#if PG_VERSION_NUM < 170000
  failing.alloc = [](MemoryContext, Size) -> void * { return nullptr; };
#else // which raises the failure itself
  failing.alloc = MemoryContextAllocationFailure;
#endif
  full->methods = &failing;
  const auto end = [&, outer = error_home] {
    error_home = outer;
    full->methods = working;
    MemoryContextDelete(full);
  };
  try {
    error_home = full;
    raise();
  } catch (...) {
    end();
    throw;
  }
  end();
}

// A resource that has a limit, as an account of memory would.
class Limited final : public std::pmr::memory_resource {
  std::size_t left_ = 10000;
  void *do_allocate(std::size_t n, std::size_t align) override {
    if (n > left_) throw std::bad_alloc();
    left_ -= n;
    return std::pmr::new_delete_resource()->allocate(n, align);
  }
  void do_deallocate(void *p, std::size_t n, std::size_t align) override {
    std::pmr::new_delete_resource()->deallocate(p, n, align);
  }
  bool do_is_equal(const memory_resource &o) const noexcept override { return this == &o; }
};

void fill_arena() {
  Limited limited;
  Arena arena(&limited);
  for (;;) (void)arena.allocate(100);
}

void from_context(std::size_t n, std::size_t align) {
  ContextResource r(error_home);
  r.deallocate(r.allocate(n, align), n, align);
}

struct Failure {
  const char *name;
  void (*go)();
};

constexpr Failure kFailures[] = {
    {"ok", [] {}},
    {"raise", raise},
    {"fail", fail_here},
    {"exception", [] { throw std::runtime_error("injected exception"); }},
    {"long_exception",
     [] {
       std::string s;
       for (int i = 0; i < 1000; i++) s += "\u00e4";
       throw std::runtime_error(s);
     }},
    {"unknown", [] { throw 42; }},
    {"bad_alloc", [] { throw std::bad_alloc(); }},
    {"new", [] { ::operator delete(::operator new(kTooMuch)); }},
    {"palloc", [] { call([] { (void)palloc(MaxAllocSize + 1); }); }},
    {"palloc_huge", [] { call([] { (void)MemoryContextAllocHuge(CurrentMemoryContext, kTooMuch); }); }},
    {"arena", fill_arena},
    {"context", [] { from_context(kTooMuch, 8); }},
    {"context_huge", [] { from_context(MaxAllocHugeSize + 1, 8); }},
    {"context_aligned", [] { from_context(64, 64); }},
    {"uncopied", uncopied},
    // exceptions out of PostgreSQL's own brackets, in C++ and below call()
    {"out_of_try",
     [] {
       PG_TRY();
       { fail_here(); }
       PG_CATCH();
       { damage() += "PG_CATCH got a C++ exception; "; }
       PG_END_TRY();
     }},
    {"out_of_context",
     [] {
       add_context("stale context");
       fail_here();
     }},
    {"out_of_call",
     [] {
       call([] {
         add_context("stale context");
         PG_TRY();
         { fail_here(); }
         PG_CATCH();
         { damage() += "PG_CATCH got a C++ exception; "; }
         PG_END_TRY();
       });
     }},
    {"held_raise",
     [] {
       call([] {
         take_everything();
         HOLD_INTERRUPTS();
         ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION), errmsg("injected error")));
       });
     }},
    {"held_fail",
     [] {
       call([] { take_everything(); });
       fail_here();
     }},
    {"planning", [] { query("SELECT FROM pg_catalog.nothing_there"); }},
    {"running", [] { query("SELECT 1 / (random() * 0)::int"); }},
    {"loop", loop},
    {"sleep", [] { query("SELECT pg_catalog.pg_sleep(60)"); }},
    {"cancel",
     [] {
       kill(MyProcPid, SIGINT);
       loop();
     }},
    {"cancel_query",
     [] {
       kill(MyProcPid, SIGINT);
       query("SELECT pg_catalog.pg_sleep(60)");
     }},
    {"terminate",
     [] {
       kill(MyProcPid, SIGTERM);
       loop();
     }},
};

[[gnu::noinline]] std::string end_in(const Failure &f, int frames) {
  const Live live;
  const std::vector<std::string> more(3, live.text);
  if (frames > 1) return end_in(f, frames - 1) + more[0].substr(0, 0);
  f.go();
  return "done";
}

// --- the way there ----------------------------------------------------------------------------------------------------------

std::string walk(std::string_view path);

Oid own_function = InvalidOid; // inject.walk

std::string through_call(std::string_view rest) {
  const char *answer = call([&] {
    const Datum argument = PointerGetDatum(cstring_to_text_with_len(rest.data(), static_cast<int>(rest.size())));
    return TextDatumGetCString(OidFunctionCall1(own_function, argument));
  });
  return answer;
}

std::string through_spi(std::string_view rest) {
  const Memory memory;
  Spi spi;
  std::string answer = checked("Spi::run", [&] {
    spi.run("SELECT inject.walk($1)", {Arg::of(rest)});
    return spi.text(0, 1);
  });
  spi.finish();
  return answer;
}

// C++ below call(), as in a loop over rows: it throws with a memory context of its own current, and that context goes.
std::string through_scratch(std::string_view rest) {
  Scratch scratch("injected");
  std::memset(scratch.arena().allocate(5000), 0, 5000);
  std::string answer;
  call([&] {
    MemoryContext before = MemoryContextSwitchTo(scratch.context());
    answer = walk(rest);
    MemoryContextSwitchTo(before);
  });
  return answer;
}

std::string through_hold(std::string_view rest) {
  struct Held {
    Held() { HOLD_INTERRUPTS(); }
    ~Held() { RESUME_INTERRUPTS(); }
  };
  std::string answer;
  {
    const Held held;
    answer = checked("a call while interrupts are held off", [&] { return walk(rest); });
  }
  call([] { CHECK_FOR_INTERRUPTS(); });
  return answer;
}

struct Guarded {
  std::string_view rest;
  std::string answer;
  static void run(void *p) {
    auto *g = static_cast<Guarded *>(p);
    Spi spi;
    spi.run("INSERT INTO inject.trace VALUES (1)");
    spi.finish();
    g->answer = walk(g->rest);
  }
};

std::uint64_t rows_traced() {
  Spi spi;
  const std::uint64_t n = spi.run("SELECT FROM inject.trace");
  spi.finish();
  return n;
}

// What PostgreSQL has as it was after a guard, however that ended.
class Session {
public:
  Session() { GetUserIdAndSecContext(&user_, &security_); }
  void check() const {
    Oid user;
    int security;
    GetUserIdAndSecContext(&user, &security);
    expect(user == user_ && security == security_, "a guard", "the user");
    expect(path_ == namespace_search_path, "a guard", "the search path");
    expect(level_ == GetCurrentTransactionNestLevel(), "a guard", "the transaction's level");
    expect(owner_ == CurrentResourceOwner, "a guard", "the resource owner");
  }

private:
  Oid user_;
  int security_;
  std::string path_ = namespace_search_path;
  int level_ = GetCurrentTransactionNestLevel();
  ResourceOwner owner_ = CurrentResourceOwner;
};

std::string guarded(std::string_view rest, bool (*forgive)(int sqlstate)) {
  const std::uint64_t rows = rows_traced();
  const Session session;
  Guarded g{rest, {}};
  bool ok = false;
  try {
    ok = call([&] { return guarded_by(Guarded::run, &g, forgive); });
  } catch (...) {
    session.check();
    throw;
  }
  session.check();
  const std::uint64_t rows_after = rows_traced();
  expect(ok ? rows_after > rows : rows_after == rows, "a guard", "the table");
  return ok ? g.answer : "forgiven";
}

std::string through_guard(std::string_view rest) {
  return guarded(rest, [](int) { return false; });
}

std::string through_forgiving(std::string_view rest) {
  return guarded(rest, [](int) { return true; });
}

std::string through_choosing(std::string_view rest) {
  return guarded(rest, [](int sqlstate) { return sqlstate == ERRCODE_CHECK_VIOLATION; });
}

// As PL/pgSQL does: PostgreSQL catches what an entry raised.
std::string through_try(std::string_view rest) {
  std::string answer;
  MemoryContext const home = error_home;
  call([&] {
    PG_TRY();
    {
      enter([&] { answer = walk(rest); });
    }
    PG_CATCH();
    {
      expect(home == error_home, "an entry", "error_home");
      PG_RE_THROW();
    }
    PG_END_TRY();
  });
  return answer;
}

struct Layer {
  const char *name;
  std::string (*go)(std::string_view rest);
};

constexpr Layer kLayers[] = {{"call", through_call},       {"try", through_try},         {"spi", through_spi},
                             {"scratch", through_scratch}, {"hold", through_hold},       {"guard", through_guard},
                             {"forgive", through_forgiving}, {"choose", through_choosing}};

std::string walk(std::string_view path) {
  const std::size_t slash = path.find('/');
  const std::string_view first = path.substr(0, slash);
  if (slash == path.npos) {
    for (const Failure &f : kFailures) {
      if (first == f.name) return end_in(f, 4);
    }
  } else {
    for (const Layer &l : kLayers) {
      if (first == l.name) return checked(l.name, [&] { return l.go(path.substr(slash + 1)); });
    }
  }
  fail(ERRCODE_INVALID_PARAMETER_VALUE, "nothing is called \"" + std::string(first) + "\"");
}

// --- too little memory ------------------------------------------------------------------------------------------------------

std::int64_t allocations_left = 0;

// The stack can't grow under a limit, and the process would die of that: it gets its pages before.
[[gnu::noinline]] void grow_stack() {
  volatile char pages[1 << 20];
  for (std::size_t i = 0; i < sizeof pages; i += 1024) pages[i] = 0;
}

void limit_memory(rlim_t bytes) {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit)) fail(ERRCODE_SYSTEM_ERROR, "the limit can't be read");
  limit.rlim_cur = std::min(bytes, limit.rlim_max);
  if (setrlimit(RLIMIT_AS, &limit)) fail(ERRCODE_SYSTEM_ERROR, "the limit can't be set");
}

void unlimit_memory(XactEvent event, void *) {
  enter([] { limit_memory(RLIM_INFINITY); });
}

} // namespace
} // namespace pql::pg

PQL_FUNCTION(inject_walk) {
  using namespace pql::pg;
  own_function = fcinfo->flinfo->fn_oid;
  const std::string answer = walk(text_arg(fcinfo, 0));
  return call([&] { return PointerGetDatum(cstring_to_text(answer.c_str())); });
}

// What is left of failures before: '' when nothing is. Forgets it.
PQL_FUNCTION(inject_left) {
  using namespace pql::pg;
  std::string s = std::exchange(damage(), {});
  const std::int64_t live = std::exchange(Live::count, 0);
  if (live) s += std::to_string(live) + " objects live on; ";
  if (std::current_exception()) s += "an exception is still being handled; ";
  if (InterruptHoldoffCount || QueryCancelHoldoffCount || CritSectionCount) s += "interrupts are held off; ";
  bool open = false, pinned = false;
  call([&] { look_at_held(open, pinned); });
  if (open) s += "a relation is open; ";
  if (pinned) s += "a page is pinned; ";
  return call([&] { return PointerGetDatum(cstring_to_text(s.c_str())); });
}

// Bytes of the process's heap that are in use, PostgreSQL's and C++'s.
PQL_FUNCTION(inject_heap) { return Int64GetDatum(static_cast<int64>(mallinfo2().uordblks)); }

// Lets the n-th allocation of C++ from now on fail, none with 0; says how many were still to come until one would have.
PQL_FUNCTION(inject_fail_allocation) {
  return Int64GetDatum(std::exchange(pql::pg::allocations_left, PG_GETARG_INT64(0)));
}

// Lets the process have that many bytes more than it has now, until the transaction ends.
PQL_FUNCTION(inject_limit_memory) {
  using namespace pql::pg;
  static const bool registered = (call([] { RegisterXactCallback(unlimit_memory, nullptr); }), true);
  (void)registered;
  grow_stack();
  (void)malloc_trim(0);
  rlim_t pages = 0;
  if (FILE *f = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(f, "%lu", &pages) != 1) pages = 0;
    (void)std::fclose(f);
  }
  if (!pages) fail(ERRCODE_SYSTEM_ERROR, "the size of this process is unknown");
  limit_memory(pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + static_cast<rlim_t>(PG_GETARG_INT64(0)));
  return Datum{0};
}

// The library's own; what is compiled into the C++ library keeps its.
void *operator new(std::size_t n) {
  void *const p = pql::pg::allocations_left && !--pql::pg::allocations_left ? nullptr : std::malloc(n ? n : 1);
  if (!p) throw std::bad_alloc();
  return p;
}
void operator delete(void *p) noexcept { std::free(p); }
void operator delete(void *p, std::size_t) noexcept { std::free(p); }
