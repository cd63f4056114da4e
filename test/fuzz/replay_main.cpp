// Runs a fuzz target over the inputs that are kept: every file of the directories given. For compilers without libFuzzer.
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <unistd.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size);

static char current[4096]; // the input being run, for whoever looks at a crash

extern "C" {
static void crashed(int signal) {
  static const char text[] = "crashed on ";
  bool written = write(STDERR_FILENO, text, sizeof text - 1) > 0 &&
                 write(STDERR_FILENO, current, std::strlen(current)) > 0 && write(STDERR_FILENO, "\n", 1) > 0;
  std::signal(signal, SIG_DFL);
  std::raise(written ? signal : SIGABRT);
}
}

int main(int argc, char **argv) {
  namespace fs = std::filesystem;
  for (int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(signal, crashed);

  std::vector<fs::path> inputs;
  for (int i = 1; i < argc; i++) {
    if (!fs::is_directory(argv[i])) continue; // no inputs kept yet
    for (const fs::directory_entry &e : fs::recursive_directory_iterator(argv[i])) {
      if (e.is_regular_file()) inputs.push_back(e.path());
    }
  }
  std::sort(inputs.begin(), inputs.end());

  for (const fs::path &path : inputs) {
    std::snprintf(current, sizeof current, "%s", path.c_str());
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t *>(bytes.data()), bytes.size());
  }
  std::printf("replayed %zu inputs\n", inputs.size());
}
