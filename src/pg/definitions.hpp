// The definitions in force, compiled once per backend: what each event does, and which programs look at it.
// Law: never older than the newest committed definition that this backend has been told of, at any isolation level.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>

#include "core/program/trackers.hpp"
#include "core/state/delta.hpp"
#include "pg/expression.hpp"
#include "pg/memory.hpp"

namespace pql::pg {

/// What is known of a tracker besides what the core needs.
struct TrackerInfo {
  TrackerId id = 0;
  TrackerSpec spec;
  bool active = false; ///< folded by the trigger; otherwise still being built
};

/// What events of one name do, and the rules that decide it.
struct EventPlan {
  std::vector<Action> on_user, on_account, on_workspace;
  std::vector<Rule *> rules, values; ///< conditions; values of sums
  bool needs_properties() const noexcept { return !rules.empty() || !values.empty(); }
  bool empty() const noexcept { return on_user.empty() && on_account.empty() && on_workspace.empty(); }
  const std::vector<Action> &on(Unit u) const noexcept { return u == Unit::user ? on_user : u == Unit::account ? on_account : on_workspace; }
  std::vector<Action> &on(Unit u) noexcept { return const_cast<std::vector<Action> &>(std::as_const(*this).on(u)); }
  EventActions actions() const noexcept { return {on_user, on_account, on_workspace}; }
};

/// What each event does, by its name. Looked into for every event: one probe and one comparison, as good as always.
class EventTable {
public:
  EventTable() = default;
  EventTable(EventTable &&) = default;
  EventTable &operator=(EventTable &&) = default;
  /// Null for an event that does nothing.
  const EventPlan *find(std::string_view name) const noexcept;
  /// The plan of an event, made if there is none, or ("*") what is done for all events: that must be complete before the others
  /// are made.
  EventPlan &plan(std::string_view name) { return name == "*" ? any_ : of(name); }
  bool needs_properties() const noexcept;

  bool of_workspaces = false;     ///< events do something to workspaces
  bool builds_workspaces = false; ///< all that is kept of workspaces is among it: they are seen by events, too

private:
  struct Named {
    std::string name;
    std::uint64_t hash;
    EventPlan plan;
  };
  EventPlan &of(std::string_view name);
  const EventPlan *others() const noexcept { return any_.empty() ? nullptr : &any_; }
  void place(const Named &e) noexcept;

  EventPlan any_; ///< of events without one of their own; the others begin with it
  std::deque<Named> all_;
  std::vector<const Named *> slots_; ///< by the hash; at most a quarter of them is taken
};

/// An attached events table.
struct SourceInfo {
  int id = 0;
  Oid relation = InvalidOid;
  std::string user_id, account_id, event, occurred_at, event_id, properties, received_at;
  std::string workspace; ///< empty as long as nothing is kept of workspaces: then it isn't read either
  bool event_clock = false, dedup = false;
  bool deferred = false; ///< writers leave their events to be folded later (deferred.hpp)
  Micros max_event_age = 0, max_future = 0, dedup_for = 0;
  Micros sealed_before = kAlways;
};

/// Of domains that are not contacted.
inline constexpr std::array<std::string_view, 3> kDomainKinds = {"competitor", "employee", "partner"};

struct AttributeColumn; // attributes.hpp
struct FactName;        // attached_facts.hpp
struct ProgramRules;    // the compiled rules of a program over its subjects: assess.cpp

/// Everything, compiled. Shared by whoever uses it while it is replaced.
class Definitions {
public:
  /// As they are committed, or as a snapshot has them: one for all, so that what is to be folded fits what is defined.
  explicit Definitions(Snapshot as_of = nullptr);
  /// On trial: those of a document that need not be published, and of the version in force of its name, if any, which is the
  /// second program then. Sources are as they are attached. Trackers that are kept anyway have their numbers, so that sealed state
  /// can be read. Fails with 22023 for a wrong document.
  explicit Definitions(const std::string &document);
  ~Definitions();
  Definitions(const Definitions &) = delete;
  Definitions &operator=(const Definitions &) = delete;

  Trackers trackers() const noexcept { return trackers_; }
  const std::vector<TrackerInfo> &infos() const noexcept { return infos_; }
  const TrackerInfo *info(TrackerId id) const noexcept;
  const EventTable &events() const noexcept { return events_; }
  const std::vector<Program> &programs() const noexcept { return programs_; }
  /// Versions that were replaced and may still have open episodes.
  const std::vector<Program> &finishing() const noexcept { return finishing_; }
  const std::vector<SourceInfo> &sources() const noexcept { return sources_; }
  const std::vector<std::int32_t> &unfinished_jobs() const noexcept { return jobs_; }
  bool has_rules() const noexcept { return has_rules_; }
  bool defers() const noexcept { return defers_; } ///< whether any source does
  bool has_unit(Unit u) const noexcept { return has_unit_[static_cast<int>(u)]; }
  /// Whether anything is kept of workspaces: once there was a program on them.
  bool keeps_workspaces() const noexcept { return account_tracker_ != 0; }
  /// The account that a workspace's newest event named; empty when none of them named one.
  std::string_view account_of(const Subject &workspace) const noexcept;
  TrackerId account_tracker() const noexcept { return account_tracker_; } ///< what tells that; 0: there is none

  /// The trackers of a user's milestone.
  std::vector<TrackerId> user_milestones(std::string_view name) const;
  const SourceInfo *source(int id) const noexcept;
  /// A version in force, or one that is retired and still has open episodes; null for others.
  const Program *version(std::int32_t program, std::int32_t version) const noexcept;
  /// The version in force of a program (live, else shadow), or null.
  const Program *program(std::string_view name) const noexcept;
  /// The rules of one of the programs, compiled when they are first asked for; null when it has none.
  const ProgramRules *rules(const Program &p) const;
  /// The columns that rules may name of what is attached to a unit.
  const std::vector<AttributeColumn> &attributes(Unit u) const noexcept { return attributes_[static_cast<int>(u)]; }
  /// The facts that rules may name.
  const std::vector<FactName> &facts() const noexcept { return facts_; }
  bool has_internal_domains() const noexcept { return !internal_.empty(); }
  /// The kind of the listed domain (pql.internal_domain) that an id is of, as an e-mail address or a domain itself, or else its account is;
  /// -1: of none.
  int internal_domain(std::string_view id, std::string_view account) const;
  /// What events do to these trackers only (a backfill of new ones). Rules live as long as the plan.
  EventTable event_table(const std::vector<TrackerId> &only) const;
  /// Where rules and whatever belongs to the plan may be kept.
  MemoryContext memory() const noexcept { return memory_; }

private:
  void load_trackers();
  void compile_trackers();
  void try_trackers(const std::vector<TrackerSpec> &wanted);
  void load_programs();
  void add_program(Program p, ProgramDef def, std::vector<Program> &to);
  void load_trial(const std::string &document);
  void load_sources();
  void load_attributes();
  void load_internal_domains();
  void add_event(EventTable &table, const TrackerInfo &t, std::size_t step) const;
  void fill(EventTable &table, const std::function<bool(const TrackerInfo &)> &wanted) const;
  MeasureTrackers find(const ProgramDef &p, const MeasureDef &d) const;
  TrackerId find(const TrackerSpec &spec) const;

  MemoryContext memory_ = nullptr;
  std::vector<Tracker> trackers_;
  std::vector<TrackerInfo> infos_;
  EventTable events_;
  std::vector<Program> programs_, finishing_;
  mutable std::unordered_map<const Program *, std::shared_ptr<const ProgramRules>> rules_; ///< of each, once asked for; of most null
  std::vector<AttributeColumn> attributes_[3];
  std::vector<FactName> facts_;
  std::unordered_map<std::string, int> internal_; ///< domains, and their kinds
  std::vector<SourceInfo> sources_;
  std::vector<std::int32_t> jobs_;
  TrackerId account_tracker_ = 0; ///< of workspaces; 0: there is none
  bool has_unit_[3] = {};
  bool has_rules_ = false, defers_ = false;
};

/// The unit of that name; users for any other.
Unit unit_named(std::string_view name) noexcept;

/// Whether a rule over an event compiles: null, or what is wrong with it. Call inside call().
Complaint *check_event_rule(const char *text, Oid wanted, const char *path);

/// The plan in force.
std::shared_ptr<const Definitions> current_definitions();

/// The plan in force when homes have been waited for, by which others may have written them.
std::shared_ptr<const Definitions> definitions_now();

/// The plan as a snapshot has it, for as long as this is there: what was compiled of tables by another isn't taken for it.
class DefinitionsAsOf {
public:
  explicit DefinitionsAsOf(Snapshot as_of);
  ~DefinitionsAsOf();
  DefinitionsAsOf(const DefinitionsAsOf &) = delete;
  DefinitionsAsOf &operator=(const DefinitionsAsOf &) = delete;
  const Definitions &operator*() const noexcept { return *plan_; }

private:
  std::shared_ptr<const Definitions> plan_;
};

/// Registers the invalidation callback. Called once, when the library is loaded.
void watch_definitions();

/// Also forget the plan when this relation changes (an events table whose columns were compiled).
void watch_relation(Oid relation);

/// Counts plans: what was compiled from an earlier one is stale.
std::uint64_t definitions_generation();

} // namespace pql::pg
