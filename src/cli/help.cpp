#include "cli/help.hpp"

#include <memory>
#include <string_view>

#include <CLI/CLI.hpp>

namespace pql::cli {
namespace {

constexpr std::string_view kRange = " in [";

class Help : public CLI::Formatter {
public:
  std::string make_option_opts(const CLI::Option *o) const override {
    const std::string name = o->get_positional() ? "" : value_name(*o);
    return name.empty() ? name : " " + name + (o->get_expected_max() > 1 ? " ..." : "");
  }
  std::string make_option_desc(const CLI::Option *o) const override { return option_text(*o); }
  std::string make_option_usage(const CLI::Option *o) const override {
    const std::string name = o->get_name(true) + (o->get_expected_max() > 1 ? "..." : "");
    return o->get_required() ? name : "[" + name + "]";
  }
};

} // namespace

// CLI11's name of a type is "INT", and with checks "INT:INT in [1 - 256]", "TEXT:FILE".
std::string value_name(const CLI::Option &option) {
  if (option.get_items_expected_max() == 0) return {};
  const std::string type = option.get_type_name();
  const std::string name = type.substr(0, type.find(':'));
  if (type.ends_with(":FILE")) return "FILE";
  return name == "INT" || name == "UINT" || name == "FLOAT" ? "N" : name.empty() ? "VALUE" : name;
}

std::string option_text(const CLI::Option &option) {
  std::string text = option.get_description();
  const std::string type = option.get_type_name();
  if (const std::size_t range = type.find(kRange); range != std::string::npos) {
    const std::size_t from = range + kRange.size(), to = type.find(" - ", from), end = type.find(']', from);
    text += ", " + type.substr(from, to - from) + " to " + type.substr(to + 3, end - to - 3);
  }
  if (!option.get_default_str().empty()) text += " (" + option.get_default_str() + ")";
  return text;
}

void set_help(CLI::App &app) { app.formatter(std::make_shared<Help>()); }

} // namespace pql::cli
