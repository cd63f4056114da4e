#include "pg/board.hpp"

#include "pg/packet.hpp"
#include "pg/spi.hpp"

extern "C" {
#include "executor/tuptable.h"
#include "tcop/dest.h"
#include "utils/typcache.h"
}

namespace pql::pg {
namespace {

const Program *program_of(const Definitions &plan, const RowScorer::Asked &a) {
  if (const Program *const p = plan.version(a.program, a.version)) return p;
  fail(ERRCODE_T_R_SERIALIZATION_FAILURE, "the program was replaced while its scores were read", {}, "Try again.");
}

} // namespace

RowScorer::RowScorer(const Asked &asked)
    : asked_(asked), plan_(current_definitions()), generation_(definitions_generation()), program_(program_of(*plan_, asked)),
      needs_(needs_of(*plan_, *program_, Ask::points)), milestones_(MilestonesWanted::of_points(*plan_, *program_)),
      may_guess_(std::ranges::none_of(program_->def.measures, [](const NamedMeasure &m) { return m.measure == Measure::milestone; })),
      reasons_(program_->def.signals.size()) {}

RowScorer::Score RowScorer::of(std::string_view home, std::string_view body, std::optional<Datum> attributes) {
  constexpr Score nobody{Score::Of::nobody, 0, {}}, left{Score::Of::left, 0, {}};
  Scratch scratch("pql row");
  Arena &arena = scratch.arena();
  Home h = read_home(arena, home, body, Members::asleep);
  if (h.lanes || (h.depth && needs_.users) || h.owner.last_seen > asked_.as_of) return left;
  if (!h.owner.exists()) return nobody;
  const Facts facts{.attributes = attributes, .users_active = needs_.users ? active_members(h, asked_.as_of) : 0};
  std::optional<Assessment> a;
  if (const std::optional<Subject> early = as_early_as_possible(arena, h.owner)) {
    a = assess(*plan_, *program_, *early, asked_.as_of, facts, reasons_, nullptr, Ask::points);
    if (a->told && !same_points_until(*program_, plan_->trackers(), *early, asked_.as_of, early->newest_known, reasons_)) a.reset();
  }
  if (!a) {
    milestones_.add(arena, home, asked_.as_of, h.owner, [&] {
      Store store(Store::Access::read);
      std::vector<LoggedMilestones> log = store.logged(arena, home, &MilestonesWanted::kOwner);
      store.close();
      return log;
    });
    a = assess(*plan_, *program_, h.owner, asked_.as_of, facts, reasons_, nullptr, Ask::points);
  }
  return a->told ? Score{Score::Of::somebody, a->score, kinds_of(*a)} : left;
}

// With its milestones as if all had been reached by its first event; nothing where it doesn't matter when they were, or where that isn't
// when the earliest can have been. Who was seen for a short time, or long ago, has the same points whenever it was.
std::optional<Subject> RowScorer::as_early_as_possible(Arena &arena, const Subject &s) const {
  const auto knows = [&](TrackerId t) { return s.known.has(t); };
  if (!may_guess_ || s.events == 0 || s.first_seen > s.newest_known || s.newest_known > asked_.as_of) return {};
  if (std::ranges::none_of(milestones_.dated, knows)) return {};
  Subject early = s;
  for (const auto *const all : {&milestones_.dated, &milestones_.reached}) {
    for (const TrackerId t : *all) {
      if (knows(t)) early.fold_milestone(arena, t, s.first_seen, {});
    }
  }
  return early;
}

std::string_view RowScorer::kinds_of(const Assessment &a) {
  constexpr std::size_t kMost = 10'000;
  if (const auto known = kinds_.find(a.kinds); known != kinds_.end()) return known->second;
  if (kinds_.size() == kMost) kinds_.clear();
  const NamedNumbers numbers = points_by_kind(*program_, reasons_);
  const auto *const made = call([&] { return DatumGetJsonbP(jsonb_of(numbers)); });
  return kinds_.emplace(a.kinds, std::string(reinterpret_cast<const char *>(made), VARSIZE(made))).first->second;
}

namespace {

using Taker = std::function<void(std::string_view, int, Datum)>;

// Rows of pql._row_score as they come from the executor.
struct Receiver : DestReceiver {
  const Taker *give;
  const std::unordered_set<std::string_view> *awaited;
  std::vector<std::string> *left;
  std::string *key; ///< of a home, whose id follows
  TupleDesc row;

  void take(TupleTableSlot *slot) const {
    Datum values[3];
    bool nulls[3];
    const bool somebody = call([&] {
      const Datum d = slot_getattr(slot, 1, &nulls[0]);
      if (nulls[0]) return false;
      HeapTupleHeader const t = DatumGetHeapTupleHeader(d);
      HeapTupleData tuple{};
      tuple.t_len = HeapTupleHeaderGetDatumLength(t);
      tuple.t_data = t;
      heap_deform_tuple(&tuple, row, values, nulls);
      return true;
    });
    if (!somebody) return;
    const auto *const id = reinterpret_cast<const text *>(DatumGetPointer(values[0]));
    const std::string_view subject(VARDATA_ANY(id), VARSIZE_ANY_EXHDR(id));
    if (!nulls[1] && awaited->empty()) return (*give)(subject, DatumGetInt32(values[1]), values[2]);
    key->resize(2);
    key->append(subject);
    if (nulls[1]) left->push_back(*key);
    else if (!awaited->contains(*key)) (*give)(subject, DatumGetInt32(values[1]), values[2]);
  }
};

// What single rows tell; the homes of the others.
class Rows {
public:
  Rows(const Asked &a, const Taker &give) : a_(a), give_(give) {}

  std::vector<std::string> left(const std::unordered_set<std::string_view> &awaited) {
    std::vector<std::string> left(awaited.begin(), awaited.end()), unread;
    std::string key = home_key(a_.program->def.unit, {});
    const std::string before = key;
    std::string after = key;
    after.back()++;
    Receiver receiver{};
    receiver.receiveSlot = [](TupleTableSlot *slot, DestReceiver *self) {
      enter([&] { static_cast<Receiver *>(self)->take(slot); });
      return true;
    };
    receiver.rStartup = [](DestReceiver *self, int, TupleDesc rows) {
      static_cast<Receiver *>(self)->row = lookup_rowtype_tupdesc_copy(TupleDescAttr(rows, 0)->atttypid, -1);
    };
    receiver.rShutdown = receiver.rDestroy = [](DestReceiver *) {};
    receiver.mydest = DestTuplestore;
    receiver.give = &give_;
    receiver.awaited = &awaited;
    receiver.left = &unread;
    receiver.key = &key;
    Spi spi;
    spi.run_into(&receiver, sql().c_str(),
                 {Arg::of(a_.program->id), Arg::of(a_.program->version), Arg::time(a_.as_of), Arg::of(before), Arg::of(after)},
                 may_score_in_parallel(*a_.plan, *a_.program) && !call([] { return IsolationUsesXactSnapshot(); }));
    spi.finish();
    left.insert(left.end(), std::make_move_iterator(unread.begin()), std::make_move_iterator(unread.end()));
    return left;
  }

private:
  // Attributes as they are, or as they were: of each home there is at most one row.
  std::string sql() const {
    const bool joins = needs_of(*a_.plan, *a_.program, Ask::points).attributes;
    std::string from = "pql.state AS s";
    if (joins && a_.now) from += " LEFT JOIN pql.attribute AS a ON a.home = s.home";
    if (joins && !a_.now)
      from += " LEFT JOIN (SELECT n.home, n.body FROM pql.attribute AS n WHERE n.since <= $3 UNION ALL"
              " SELECT h.home, h.body FROM pql.attribute_history AS h WHERE h.valid_from <= $3 AND h.valid_to > $3) AS a ON a.home = s.home";
    return "SELECT pql._row_score($1, $2, $3, s.home, s.body, " + std::string(joins ? "a.body" : "NULL") + ") FROM " + from +
           " WHERE s.part = 0 AND s.home >= $4 COLLATE \"C\" AND s.home < $5 COLLATE \"C\"";
  }

  const Asked &a_;
  const Taker &give_;
};

// Whether rows and attributes are all that points rest on.
bool rows_tell(const Asked &a) {
  const RuleNeeds needs = needs_of(*a.plan, *a.program, Ask::points);
  return a.program->def.unit != Unit::user && !needs.account && !needs.flags && !needs.facts && !needs.account_facts && !needs.history &&
         !needs.milestones;
}

} // namespace

void score_everybody(const Asked &a, const Taker &f) {
  const Program &p = *a.program;
  Scratch scratch("pql scoreboard"), values("pql points by kind");
  MemoryContext const value = values.context();
  std::vector<Reason> reasons(p.def.signals.size());
  FactReader facts(*a.plan, p, a.as_of, a.now, Ask::points);
  const MilestonesWanted milestones = MilestonesWanted::of_points(*a.plan, p);
  const Telling tell = [&](const Subject &s, const Home *row) {
    const Assessment x = assess(*a.plan, p, s, a.as_of, facts.of(s, row), reasons, nullptr, Ask::points);
    const NamedNumbers kinds = points_by_kind(p, reasons);
    f(s.id.view(), x.score, call([&] {
        MemoryContextReset(value);
        MemoryContext const before = MemoryContextSwitchTo(value);
        const Datum made = jsonb_of(kinds);
        MemoryContextSwitchTo(before);
        return made;
      }));
  };
  if (rows_tell(a))
    subjects_left_at(*a.plan, scratch.arena(), p.def.unit, a.as_of, milestones, tell,
                     [&](const std::unordered_set<std::string_view> &awaited) { return Rows(a, f).left(awaited); });
  else subjects_at(*a.plan, scratch.arena(), p.def.unit, a.as_of, milestones, tell);
  unseen_at(*a.plan, p, a.as_of, a.now, tell);
  facts.close();
}

} // namespace pql::pg
