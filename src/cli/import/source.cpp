#include "cli/import/source.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "cli/base/failure.hpp"
#include "cli/base/interrupt.hpp"

namespace pql::cli {
namespace {

Failure unreadable(const std::string &name, const std::string &why) {
  return {Exit::usage, "can't read " + name + ": " + why};
}

} // namespace

struct Digest::State {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  State() {
    if (!context || EVP_DigestInit_ex(context, EVP_sha256(), nullptr) != 1)
      throw Failure(Exit::usage, "SHA-256 can't be had");
  }
  State(const State &) = delete;
  State &operator=(const State &) = delete;
  ~State() { EVP_MD_CTX_free(context); }
};

Digest::Digest() : state_(std::make_unique<State>()) {}
Digest::Digest(Digest &&) noexcept = default;
Digest &Digest::operator=(Digest &&) noexcept = default;
Digest::~Digest() = default;

void Digest::add(std::string_view bytes) { EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()); }

std::string Digest::text() const {
  const State copy;
  EVP_MD_CTX_copy_ex(copy.context, state_->context);
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned n = 0;
  EVP_DigestFinal_ex(copy.context, bytes.data(), &n);
  std::string hex;
  for (unsigned i = 0; i < n; i++) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    hex += kDigits[bytes[i] >> 4];
    hex += kDigits[bytes[i] & 15];
  }
  return hex;
}

Source::Source(const std::string &name) : name_(name) {
  int file = STDIN_FILENO;
  if (name != "-") {
    file = open(name.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) throw unreadable(name, std::strerror(errno));
  } else {
    name_ = "standard input";
    file = dup(STDIN_FILENO);
  }
  struct stat info {};
  if (fstat(file, &info) == 0 && S_ISDIR(info.st_mode)) {
    ::close(file);
    throw unreadable(name, "it is a directory");
  }
  if (name != "-" && S_ISREG(info.st_mode)) size_ = info.st_size;
  file_ = gzdopen(file, "rb"); // reads what isn't compressed as it is
  if (!file_) throw unreadable(name, "out of memory");
  gzbuffer(static_cast<gzFile>(file_), 256 << 10);
}

Source Source::of_program(const std::string &name, char *const arguments[]) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw unreadable(name, std::strerror(errno));
  const pid_t child = fork();
  if (child < 0) throw unreadable(name, std::strerror(errno));
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    execvp(arguments[0], arguments);
    _exit(127);
  }
  ::close(ends[1]);
  Source source;
  source.name_ = name;
  source.program_ = child;
  source.file_ = gzdopen(ends[0], "rb");
  return source;
}

Source::Source(Source &&other) noexcept { *this = std::move(other); }

Source &Source::operator=(Source &&other) noexcept {
  std::swap(name_, other.name_);
  std::swap(file_, other.file_);
  std::swap(size_, other.size_);
  std::swap(program_, other.program_);
  return *this;
}

Source::~Source() {
  if (file_) gzclose_r(static_cast<gzFile>(file_));
  if (program_) waitpid(program_, nullptr, 0);
}

std::size_t Source::read(char *to, std::size_t bytes) {
  auto *const file = static_cast<gzFile>(file_);
  for (;;) {
    check_interrupted();
    errno = 0;
    const int n = gzread(file, to, static_cast<unsigned>(bytes));
    int code = Z_OK;
    const char *const why = gzerror(file, &code);
    if (n > 0) return static_cast<std::size_t>(n);
    if (n == 0 && code == Z_OK) return 0;
    if (code == Z_BUF_ERROR) throw unreadable(name_, "it ends within compressed data");
    if (code == Z_ERRNO && errno == EINTR) {
      gzclearerr(file);
      continue;
    }
    throw unreadable(name_, code == Z_ERRNO ? std::strerror(errno) : why);
  }
}

bool Source::rewind() { return is_file() && gzrewind(static_cast<gzFile>(file_)) == 0; }

double Source::share() const {
  if (size_ <= 0) return -1;
  return std::min(1.0, static_cast<double>(gzoffset(static_cast<gzFile>(file_))) / static_cast<double>(size_));
}

void Source::close() {
  if (!program_) return;
  int status = 0;
  waitpid(std::exchange(program_, 0), &status, 0);
  if (status != 0)
    throw unreadable(name_, WIFEXITED(status) && WEXITSTATUS(status) == 127 ? "there is no such program"
                                                                            : "the program failed");
}

} // namespace pql::cli
