// Messages of attached conversations: their topics are rows of pql.intent, which are events.
// Law: what a message reveals is decided when it is written, or when pql.rematch() says so; a message that can't be used is
// counted, and fails no insert.
#pragma once

#include "pg/extract.hpp"

namespace pql::pg {

/// The source that pql.intent is: its rows are the events of topics.
inline constexpr int kIntentSource = 0;

/// An attached relation with messages.
struct ConversationSource {
  int id = 0;
  Oid relation = InvalidOid;
  std::string user_id, account_id, body, occurred_at, channel, conversation_id, message_id;
};

/// Null when there is none. Until the next call that finds another generation.
const ConversationSource *conversation_source(int id);

/// What a message's row says.
struct Message {
  const char *unusable = nullptr; ///< why it can't be used, or null
  std::string id, user, account, body, channel, conversation;
  Micros at = 0;

  /// Whether it says the same, whatever its text is.
  bool same_frame(const Message &o) const {
    return unusable == o.unusable && user == o.user && account == o.account && channel == o.channel && conversation == o.conversation && at == o.at;
  }
};

/// Reads a row of a source's relation, or of a partition of it. False when its columns aren't there any more.
bool read_message(const ConversationSource &source, Relation rel, TupleTableSlot *slot, Message &out);

/// What messages reveal, on its way into pql.intent.
class Intents {
public:
  explicit Intents(int source) : source_(source) {}
  /// Notes what a message reveals; counts it when it can't be used.
  void add(const Message &m);
  /// Writes what was noted, which becomes events.
  void flush();
  std::int64_t found() const noexcept { return found_; }
  /// With it, what a message doesn't reveal any more is taken back.
  bool replace = false;

private:
  int source_;
  std::int64_t found_ = 0;
  std::vector<std::string> homes_, ids_, users_, accounts_, topics_, times_, channels_, conversations_, quotes_, languages_;
};

/// Takes back what a message revealed.
void forget_message(int source, const std::string &id);
/// A message says the same, of another user, account, time, channel or conversation.
void move_message(int source, const Message &m);
/// Takes back what all messages of a source revealed.
void forget_messages(int source);
/// Notes what the messages of a table reveal, from an instant on; returns how many messages and topics there are.
struct Matched {
  std::int64_t messages = 0, topics = 0;
};
Matched match_messages(const ConversationSource &source, Oid table, Micros since, bool replace);

/// Whether pql itself writes to pql.intent: only then its rows become events.
bool writing_intents() noexcept;

/// What was found counts for whoever the users and accounts are by now: moves the rows of homes, some of whose owners were merged or
/// moved.
void follow_identities(const std::vector<std::string> &homes);

} // namespace pql::pg
