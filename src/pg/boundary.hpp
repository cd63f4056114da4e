// The two crossings between C++ and PostgreSQL. Nothing else may let an exception or a longjmp pass.
// Law: no C++ exception passes a PostgreSQL frame, no longjmp passes a C++ object with a destructor, and an error keeps its
// SQLSTATE, detail, hint and context on the way through both.
#pragma once

#include "pg/pg.hpp"

namespace pql::pg {

/// An error raised by PostgreSQL, on its way through C++. May only be rethrown (the entry does), never swallowed, unless
/// the call ran in a subtransaction. Not a std::exception on purpose: no library's handler may swallow a cancel.
class PgError {
public:
  explicit PgError(ErrorData *e) noexcept : e_(e) {}
  ErrorData *data() const noexcept { return e_; }

private:
  ErrorData *e_;
};

/// An error of ours: what an SQL function reports. Texts follow PostgreSQL's style.
struct SqlError {
  int sqlstate;
  std::string message, detail, hint;
};

[[noreturn]] inline void fail(int sqlstate, std::string message, std::string detail = {}, std::string hint = {}) {
  throw SqlError{sqlstate, std::move(message), std::move(detail), std::move(hint)};
}

/// The memory context of the innermost SQL entry: errors are copied there.
inline MemoryContext error_home = nullptr;

/// The error handlers as they are now, to be put back.
struct Handlers {
  sigjmp_buf *stack = PG_exception_stack;
  ErrorContextCallback *contexts = error_context_stack;
  MemoryContext home = error_home; // an error that is raised below an enter() passes it by

  void restore() const noexcept {
    PG_exception_stack = stack;
    error_context_stack = contexts;
    error_home = home;
  }
};

/// C++ calls PostgreSQL. `f` may raise; it must own nothing with a destructor, and its result must be trivial. Costs about
/// 10 ns: guard a batch, not a tuple. Throws PgError, or std::bad_alloc when not even the error could be copied.
template <class F>
auto call(F &&f) -> decltype(f()) {
  using R = decltype(f());
  static_assert(std::is_void_v<R> || (std::is_trivially_copyable_v<R> && std::is_trivially_destructible_v<R>));
  const struct Scope : Handlers {
    ~Scope() { restore(); }
  } handlers;
  MemoryContext const memory = CurrentMemoryContext;
  const uint32 hold = InterruptHoldoffCount;
  sigjmp_buf here;
  if (sigsetjmp(here, 0) == 0) {
    PG_exception_stack = &here;
    try {
      return f();
    } catch (...) {
      MemoryContextSwitchTo(memory); // the one that f switched to may be about to go
      throw;
    }
  }
  handlers.restore();
  ErrorData *volatile copy = nullptr;
  sigjmp_buf again; // copying the error allocates, which may fail in turn
  if (sigsetjmp(again, 0) == 0) {
    PG_exception_stack = &again;
    MemoryContextSwitchTo(error_home ? error_home : TopTransactionContext);
    copy = CopyErrorData();
  }
  handlers.restore();
  MemoryContextSwitchTo(memory);
  FlushErrorState();
  InterruptHoldoffCount = hold;
  if (!copy) throw std::bad_alloc();
  throw PgError(copy);
}

/// What an exception became, in plain memory: raised once the handlers are closed.
struct Caught {
  ErrorData *error = nullptr;
  int sqlstate = ERRCODE_INTERNAL_ERROR;
  char message[512] = "unrecognised C++ exception", detail[1024] = "", hint[512] = "";

  void copy(const SqlError &e) noexcept;
  void copy(const std::exception &e) noexcept;
  [[noreturn]] void raise();
};

/// PostgreSQL calls C++: the only body an extern "C" function has, but for those that throw nothing and hold nothing with a
/// destructor (PQL_DIRECT_FUNCTION, in aggregate.hpp). Exceptions become errors after their handlers closed.
template <class F>
auto enter(F &&body) -> decltype(body()) {
  const Handlers handlers; // nothing with a destructor: raise() jumps
  MemoryContext const memory = CurrentMemoryContext;
  Caught caught;
  error_home = memory;
  try {
    if constexpr (std::is_void_v<decltype(body())>) {
      body();
      handlers.restore();
      return;
    } else {
      auto r = body();
      handlers.restore();
      return r;
    }
  } catch (const PgError &e) {
    caught.error = e.data();
  } catch (const SqlError &e) {
    caught.copy(e);
  } catch (const std::bad_alloc &) {
    caught.sqlstate = ERRCODE_OUT_OF_MEMORY;
    strlcpy(caught.message, "out of memory", sizeof caught.message);
  } catch (const std::exception &e) {
    caught.copy(e);
  } catch (...) {
  }
  handlers.restore();
  MemoryContextSwitchTo(memory);
  caught.raise();
}

} // namespace pql::pg

/// Declares and defines the SQL-callable function pql_<name>: PQL_FUNCTION(score) { ... return Datum; }
#define PQL_FUNCTION(name)                                                                                             \
  extern "C" {                                                                                                         \
  PGDLLEXPORT Datum pql_##name(PG_FUNCTION_ARGS);                                                                      \
  PG_FUNCTION_INFO_V1(pql_##name);                                                                                     \
  }                                                                                                                    \
  static Datum impl_##name(FunctionCallInfo fcinfo);                                                                   \
  Datum pql_##name(PG_FUNCTION_ARGS) {                                                                                 \
    return pql::pg::enter([&] { return impl_##name(fcinfo); });                                                        \
  }                                                                                                                    \
  static Datum impl_##name([[maybe_unused]] FunctionCallInfo fcinfo)
