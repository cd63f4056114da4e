#include "cli/import/rejects.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "cli/base/failure.hpp"
#include "cli/base/output.hpp"

namespace pql::cli {
namespace {

constexpr std::size_t kLongestShown = 10'000; // bytes of a record; what is longer is cut

} // namespace

void Rejects::keep_until(std::int64_t line) {
  keep_ = true;
  std::ifstream file(path_, std::ios::binary);
  std::uintmax_t size = 0;
  for (std::string text; std::getline(file, text);) {
    const auto parsed = nlohmann::json::parse(text, nullptr, false);
    if (!parsed.is_object() || parsed.value("line", std::int64_t{0}) > line) break;
    size += text.size() + 1;
  }
  file.close();
  std::error_code absent;
  if (std::filesystem::exists(path_, absent)) std::filesystem::resize_file(path_, size, absent);
}

void Rejects::add(std::int64_t line, std::string_view reason, std::string_view record) {
  const Json one = {{"line", line}, {"reason", reason}, {"record", record.substr(0, kLongestShown)}};
  waiting_ += one.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

void Rejects::flush() {
  if (waiting_.empty()) return;
  std::ofstream file(path_, std::ios::binary | (keep_ || opened_ ? std::ios::app : std::ios::trunc));
  file << waiting_;
  file.close();
  if (!file) throw Failure(Exit::usage, "can't write " + path_ + ": " + std::strerror(errno));
  opened_ = true;
  waiting_.clear();
}

} // namespace pql::cli
