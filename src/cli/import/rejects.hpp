// The file of rejected records: a JSON line for each, with its number and the reason.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pql::cli {

class Rejects {
public:
  /// Nothing is made until something is rejected.
  explicit Rejects(std::string path) : path_(std::move(path)) {}
  /// Forgets what comes after that line: an import that was stopped may have written it without committing it.
  void keep_until(std::int64_t line);
  /// For the file; flush() brings it there.
  void add(std::int64_t line, std::string_view reason, std::string_view record);
  void flush();
  const std::string &path() const noexcept { return path_; }

private:
  std::string path_, waiting_;
  bool keep_ = false, opened_ = false;
};

} // namespace pql::cli
