// What a packet tells besides the state: attributes, what conversations revealed, what is known, what converters did.
// Law: it is read when a row is written or decided anew, and never for anybody else.
#pragma once

#include "pg/assess.hpp"

namespace pql::pg {

/// A topic of a conversation.
struct Intent {
  std::string topic, user, channel, quote, event_id;
  Micros at;
};

/// A column of an attached relation, as words.
struct AttributeText {
  ToldAttribute attribute;
  std::string value;
};

/// Somebody's word by hand.
struct FlagText {
  std::string signal, reason;
  std::int64_t id;
};

/// How many of those who converted had done a step of the activation.
struct StepShare {
  std::string step;
  std::int64_t did, converters;
};

struct Background {
  std::vector<Intent> intents; ///< of each topic the newest, the newest first
  std::vector<AttributeText> attributes;
  std::vector<FlagText> flags;
  std::vector<std::string> known; ///< of each entry of the document; empty: nothing
  std::vector<StepShare> shares;
};

/// Reads it, of a subject whose home is `key`, as of an instant; `known` and the facts are of its last assessment, which asked for a packet.
Background background_of(const Definitions &plan, const Program &p, std::string_view key, const Subject &subject, const Facts &facts,
                         std::span<const std::string_view> known, std::vector<StepShare> shares, Micros as_of);

/// How many of those who converted had done each step of a program's activation, as it was counted last. The same for all subjects.
std::vector<StepShare> step_shares_of(const Program &p);

/// Whether anybody of a home has said something that is a topic, by an instant.
bool has_intents(std::string_view key, Micros as_of);

} // namespace pql::pg
