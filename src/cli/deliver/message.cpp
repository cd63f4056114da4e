#include "cli/deliver/message.hpp"

#include "cli/base/failure.hpp"
#include "cli/base/text.hpp"

namespace pql::cli {
namespace {

constexpr std::size_t kSlackSection = 2900, kSlackHeader = 145, kCrmText = 30000, kSubject = 250;

std::string said(const Json &from, const char *key) {
  const auto it = from.find(key);
  if (it == from.end() || it->is_null()) return {};
  return it->is_string() ? it->get<std::string>() : it->dump();
}

// No more bytes than that, and no character cut.
std::string shortened(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) end--;
  text.resize(end);
  return text + "…";
}

// The same of text that is escaped: neither what stands for a character is cut, nor a tag.
std::string shortened_markup(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  const std::size_t begin = text.find_last_of("&<", most - 1);
  const bool is_cut = begin != std::string::npos && text.find(text[begin] == '&' ? ';' : '>', begin) >= most;
  return shortened(std::move(text), is_cut ? begin : most);
}

std::string slack_text(const std::string &text) {
  std::string safe;
  for (const char c : text) {
    if (c == '&')
      safe += "&amp;";
    else if (c == '<')
      safe += "&lt;";
    else if (c == '>')
      safe += "&gt;";
    else
      safe += c;
  }
  return safe;
}

std::string html_lines(const std::string &text) {
  std::string safe;
  for (const char c : html_text(text)) c == '\n' ? safe += "<br>" : safe += c;
  return safe;
}

// Mailboxes and CRMs have a name for what is told of rows whose audience is outreach, and so have no headline.
std::string subject_of(const Delivery &d) {
  const Json &routing = d.payload.at("routing");
  const std::string headline = said(d.payload, "headline");
  return shortened(!headline.empty() ? headline : said(routing, "subject_id"), kSubject);
}

std::string withdrawn_text(const Json &routing) {
  const std::string subject = said(routing, "subject_id"), why = said(routing, "blocked_by");
  return subject + " is no longer to be contacted" +
         (said(routing, "state").empty() ? "" : " (" + said(routing, "state") + (why.empty() ? "" : ": " + why) + ")");
}

std::string outreach_text(const Json &packet) {
  std::string text;
  for (const char *const part : {"reasons", "milestones", "intents"})
    if (const auto it = packet.find(part); it != packet.end() && it->is_array())
      for (const Json &one : *it)
        text += "• " + said(one, "what") + (said(one, "when").empty() ? "" : " (" + said(one, "when") + ")") + "\n";
  if (const std::string offer = said(packet, "offer"); !offer.empty()) text += "Offer: " + offer + "\n";
  return text;
}

std::string story_of(const Delivery &d) {
  const std::string story = said(d.payload, "story");
  if (!story.empty()) return story;
  const auto packet = d.payload.find("packet");
  return packet == d.payload.end() ? std::string() : outreach_text(*packet);
}

Json slack_section(const std::string &text) {
  return {{"type", "section"}, {"text", {{"type", "mrkdwn"}, {"text", shortened_markup(text, kSlackSection)}}}};
}

Json slack_button(const char *label, const std::string &url, const char *id, bool primary) {
  Json button = {
      {"type", "button"}, {"text", {{"type", "plain_text"}, {"text", label}}}, {"url", url}, {"action_id", id}};
  if (primary) button["style"] = "primary";
  return button;
}

Json slack_actions(const ReplyLinks &links) {
  Json buttons = Json::array();
  if (!links.accept.empty()) buttons.push_back(slack_button("Accept", links.accept, "pql_accept", true));
  if (!links.decline.empty()) buttons.push_back(slack_button("Decline", links.decline, "pql_decline", false));
  if (!links.dispose.empty()) buttons.push_back(slack_button("How did it go?", links.dispose, "pql_dispose", false));
  return {{"type", "actions"}, {"elements", buttons}};
}

std::string slack_facts(const Destination &to, const Delivery &d) {
  const Json &routing = d.payload.at("routing");
  std::string facts;
  const auto add = [&facts](const std::string &fact) { facts += (facts.empty() ? "" : "  ·  ") + fact; };
  if (!d.owner.empty()) {
    const auto mentions = to.settings.find("mentions");
    const std::string id =
        mentions != to.settings.end() && mentions->is_object() ? said(*mentions, d.owner.c_str()) : "";
    add(id.empty() ? "*" + slack_text(d.owner) + "*" : "<@" + slack_text(id) + ">");
  }
  if (const std::string motion = said(routing, "motion"); !motion.empty()) add(slack_text(motion));
  if (const std::string score = said(routing, "score"); !score.empty()) add(score + " points");
  if (const std::string by = said(routing, "contact_by"); !by.empty())
    add("contact by " + slack_text(by.substr(0, 16)));
  return facts;
}

Message slack(const Destination &to, const Delivery &d, const std::optional<std::string> &secret,
              const ReplyLinks &links) {
  Message m;
  if (!to.url && !secret)
    throw wrong_usage("destination " + to.name + " has neither a url nor a secret that is one",
                      "The address of a Slack webhook is its secret.");
  m.url = to.url ? *to.url : *secret;
  if (to.url && secret) m.headers.emplace_back("Authorization", "Bearer " + *secret);
  m.headers.emplace_back("Content-Type", "application/json; charset=utf-8");
  Json body = Json::object();
  if (const std::string channel = said(to.settings, "channel"); !channel.empty()) body["channel"] = channel;
  const Json &routing = d.payload.at("routing");
  Json blocks = Json::array();
  if (d.event == "withdrawn") {
    body["text"] = withdrawn_text(routing);
    blocks.push_back(slack_section(slack_text(withdrawn_text(routing))));
  } else {
    body["text"] = subject_of(d);
    blocks.push_back(
        {{"type", "header"}, {"text", {{"type", "plain_text"}, {"text", shortened(subject_of(d), kSlackHeader)}}}});
    blocks.push_back({{"type", "context"}, {"elements", {{{"type", "mrkdwn"}, {"text", slack_facts(to, d)}}}}});
    if (const std::string story = story_of(d); !story.empty()) blocks.push_back(slack_section(slack_text(story)));
    if (!links.empty()) blocks.push_back(slack_actions(links));
  }
  body["blocks"] = blocks;
  if (to.url && secret) // webhooks have none
    body["metadata"] = {{"event_type", "pql_" + d.event}, {"event_payload", {{"id", d.key}}}};
  m.body = body.dump();
  return m;
}

std::string links_text(const ReplyLinks &links) {
  std::string text;
  if (!links.accept.empty()) text += "\nAccept: " + links.accept;
  if (!links.decline.empty()) text += "\nDecline: " + links.decline;
  if (!links.dispose.empty()) text += "\nHow did it go: " + links.dispose;
  return text;
}

std::vector<std::pair<std::string, std::string>> bearer(const Destination &to,
                                                        const std::optional<std::string> &secret) {
  if (!secret)
    throw wrong_usage("there is no secret " + to.secret_name + " for destination " + to.name,
                      "Set PQL_SECRET_… in the environment, or name it in the file of --secrets.");
  return {{"Authorization", "Bearer " + *secret}, {"Content-Type", "application/json; charset=utf-8"}};
}

std::string crm_status(const Delivery &d, const char *open, const char *done) {
  const std::string state = said(d.payload.at("routing"), "state");
  return d.event == "withdrawn" || state == "disposed" ? done : open;
}

Json hubspot_company(const Delivery &d) {
  const Json &routing = d.payload.at("routing");
  return {{"pql_state", d.event == "withdrawn" ? "withdrawn" : said(routing, "state")},
          {"pql_motion", said(routing, "motion")},
          {"pql_score", said(routing, "score")},
          {"pql_headline", d.event == "withdrawn" ? "" : subject_of(d)},
          {"pql_owner", d.owner},
          {"pql_contact_by", said(routing, "contact_by")},
          {"pql_disposition", said(routing, "disposition")}};
}

// Both are written by a key of the row's, so that doing it twice is doing it once, and what is told later changes the
// same record.
Message hubspot(const Destination &to, const Delivery &d, const std::optional<std::string> &secret,
                const ReplyLinks &links) {
  Message m;
  m.headers = bearer(to, secret);
  const Json &routing = d.payload.at("routing");
  if (said(to.settings, "object") == "companies") {
    const std::string id = said(routing, "account_id"), by = said(to.settings, "id_property");
    if (id.empty()) throw wrong_usage("routing row " + std::to_string(d.routing_id) + " has no account");
    m.method = "PATCH";
    m.url = base_of(to) + "/crm/v3/objects/companies/" + url_encoded(id) +
            (by.empty() ? "" : "?idProperty=" + url_encoded(by));
    Json properties = hubspot_company(d);
    if (const auto names = to.settings.find("properties"); names != to.settings.end() && names->is_object()) {
      Json renamed = Json::object();
      for (const auto &[key, value] : properties.items())
        if (const std::string name = said(*names, key.c_str()); !name.empty()) renamed[name] = value;
      properties = renamed;
    }
    m.body = Json{{"properties", properties}}.dump();
    return m;
  }
  const std::string key = said(to.settings, "key_property").empty() ? "pql_key" : said(to.settings, "key_property");
  const std::string row_key = said(d.payload, "row_key");
  Json properties = {{key, row_key},
                     {"hs_task_subject", d.event == "withdrawn" ? withdrawn_text(routing) : subject_of(d)},
                     {"hs_task_status", crm_status(d, "NOT_STARTED", "COMPLETED")},
                     {"hs_task_type", said(routing, "motion") == "email" ? "EMAIL" : "CALL"},
                     {"hs_task_priority", "HIGH"}};
  if (d.event != "withdrawn")
    properties["hs_task_body"] = shortened_markup(html_lines(story_of(d) + links_text(links)), kCrmText);
  if (const std::string by = said(routing, "contact_by"); !by.empty())
    properties["hs_timestamp"] = by;
  else
    properties["hs_timestamp"] = said(d.payload, "created_at");
  if (const std::string owner = said(routing, "crm_owner_id"); !owner.empty()) properties["hubspot_owner_id"] = owner;
  m.url = base_of(to) + "/crm/v3/objects/tasks/batch/upsert";
  m.body = Json{{"inputs", {{{"id", row_key}, {"idProperty", key}, {"properties", properties}}}}}.dump();
  return m;
}

Message salesforce(const Destination &to, const Delivery &d, const std::optional<std::string> &secret,
                   const ReplyLinks &links) {
  Message m;
  m.method = "PATCH";
  m.headers = bearer(to, secret);
  const Json &routing = d.payload.at("routing");
  const std::string version = said(to.settings, "api_version"), field = said(to.settings, "key_field");
  m.url = base_of(to) + "/services/data/" + (version.empty() ? "v59.0" : version) + "/sobjects/Task/" +
          (field.empty() ? "Pql_Key__c" : field) + "/" + url_encoded(said(d.payload, "row_key"));
  Json task = {{"Subject", d.event == "withdrawn" ? withdrawn_text(routing) : subject_of(d)},
               {"Status", crm_status(d, "Not Started", "Completed")},
               {"Priority", "High"}};
  if (d.event != "withdrawn") task["Description"] = shortened(story_of(d) + links_text(links), kCrmText);
  if (const std::string by = said(routing, "contact_by"); by.size() >= 10) task["ActivityDate"] = by.substr(0, 10);
  if (const std::string owner = said(routing, "crm_owner_id"); !owner.empty()) task["OwnerId"] = owner;
  if (const auto account = to.settings.find("account"); account != to.settings.end() && account->is_boolean() &&
                                                        account->get<bool>() && !said(routing, "account_id").empty())
    task["WhatId"] = said(routing, "account_id");
  m.body = task.dump();
  return m;
}

Message webhook(const Destination &to, const Delivery &d, const std::optional<std::string> &secret,
                const ReplyLinks &links) {
  if (!secret)
    throw wrong_usage("there is no secret " + to.secret_name + " to sign for destination " + to.name,
                      "Set PQL_SECRET_… in the environment, or name it in the file of --secrets.");
  Message m;
  m.url = to.url.value_or("");
  m.sign = true;
  m.headers.emplace_back("Content-Type", "application/json; charset=utf-8");
  if (const auto own = to.settings.find("headers"); own != to.settings.end() && own->is_object())
    for (const auto &[name, value] : own->items())
      if (value.is_string()) m.headers.emplace_back(name, value.get<std::string>());
  Json data = d.payload;
  for (const char *const key : {"type", "created_at"}) data.erase(key);
  if (!links.empty())
    data["reply"] = {{"accept", links.accept}, {"decline", links.decline}, {"dispose", links.dispose}};
  m.body = Json{{"type", said(d.payload, "type")}, {"timestamp", said(d.payload, "created_at")}, {"data", data}}.dump();
  return m;
}

} // namespace

std::string url_encoded(const std::string &id) {
  static const char digits[] = "0123456789ABCDEF";
  std::string safe;
  for (const char c : id) {
    const auto u = static_cast<unsigned char>(c);
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_')
      safe += c;
    else
      (safe += '%').append({digits[u >> 4], digits[u & 15]});
  }
  return safe;
}

std::string base_of(const Destination &to) {
  std::string base = to.url.value_or("");
  while (base.ends_with('/')) base.pop_back();
  return base;
}

Message message_for(const Destination &to, const Delivery &d, const std::optional<std::string> &secret,
                    const ReplyLinks &links) {
  Message m = to.kind == "slack"        ? slack(to, d, secret, links)
              : to.kind == "hubspot"    ? hubspot(to, d, secret, links)
              : to.kind == "salesforce" ? salesforce(to, d, secret, links)
                                        : webhook(to, d, secret, links);
  m.headers.emplace_back("Idempotency-Key", d.key);
  return m;
}

std::optional<Message> follow_up(const Destination &to, const Delivery &d, const std::optional<std::string> &secret,
                                 const std::string &response) {
  const auto company = to.settings.find("company");
  if (to.kind != "hubspot" || said(to.settings, "object") == "companies" || d.event != "ready" ||
      company == to.settings.end() || !company->is_boolean() || !company->get<bool>())
    return std::nullopt;
  const std::string account = said(d.payload.at("routing"), "account_id");
  const Json answer = Json::parse(response, nullptr, false);
  if (account.empty() || !answer.is_object() || !answer.contains("results") || !answer["results"].is_array() ||
      answer["results"].empty())
    return std::nullopt;
  Message m;
  m.method = "PUT";
  m.headers = bearer(to, secret);
  m.url = base_of(to) + "/crm/v4/objects/tasks/" + url_encoded(said(answer["results"][0], "id")) +
          "/associations/default/companies/" + url_encoded(account);
  return m;
}

std::string refusal_in(const Destination &to, const std::string &response) {
  if (to.kind != "slack") return {};
  const Json answer = Json::parse(response, nullptr, false);
  if (!answer.is_object() || !answer.contains("ok") || answer["ok"] != false) return {};
  const std::string why = said(answer, "error");
  return why.empty() ? "not ok" : why;
}

} // namespace pql::cli
