#include "cli/deliver/secrets.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include <sys/stat.h>

#include "cli/base/failure.hpp"
#include "cli/base/text.hpp"

namespace pql::cli {

Secrets::Secrets(const std::string &file) {
  struct stat about {};
  if (stat(file.c_str(), &about) != 0) throw wrong_usage("could not read " + file + ": " + std::strerror(errno));
  if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    throw wrong_usage("file of secrets " + file + " can be read by others", "chmod 600 " + file);
  std::ifstream in(file);
  if (!in) throw wrong_usage("could not read " + file + ": " + std::strerror(errno));
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    number++;
    const std::string_view said = trimmed(line);
    if (said.empty() || said.front() == '#') continue;
    const std::size_t equals = said.find('=');
    if (equals == std::string_view::npos)
      throw wrong_usage(file + ":" + std::to_string(number) + ": not \"name = value\"");
    values_[std::string(trimmed(said.substr(0, equals)))] = std::string(trimmed(said.substr(equals + 1)));
  }
}

std::optional<std::string> Secrets::find(const std::string &name) const {
  std::string variable = "PQL_SECRET_";
  for (const char c : name) variable += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (const char *const value = std::getenv(variable.c_str()); value && *value) return value;
  const auto found = values_.find(name);
  if (found == values_.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

} // namespace pql::cli
