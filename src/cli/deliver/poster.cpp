#include "cli/deliver/poster.hpp"

#include <chrono>
#include <ctime>
#include <list>
#include <map>
#include <stdexcept>

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/base/text.hpp"
#include "cli/deliver/address.hpp"
#include "cli/deliver/signature.hpp"
#include "cli/version.hpp"

namespace pql::cli {
namespace {

constexpr std::size_t kKeptResponse = 64 * 1024;
constexpr int kMostRedirections = 3;

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point begun) { return std::chrono::duration<double>(Clock::now() - begun).count(); }

// Parts of a URL, as curl reads them, so that what is compared is what is connected to.
struct Url {
  explicit Url(const std::string &text) : handle(curl_url()) {
    right = handle && curl_url_set(handle, CURLUPART_URL, text.c_str(), 0) == CURLUE_OK;
  }
  Url(const Url &) = delete;
  Url &operator=(const Url &) = delete;
  ~Url() { curl_url_cleanup(handle); }
  std::string part(CURLUPart what, unsigned flags = 0) const {
    char *text = nullptr;
    if (!right || curl_url_get(handle, what, &text, flags) != CURLUE_OK) return {};
    std::string copy = text;
    curl_free(text);
    return copy;
  }
  std::string host() const {
    std::string h = lowered(part(CURLUPART_HOST));
    if (h.size() > 2 && h.front() == '[') h = h.substr(1, h.size() - 2);
    return h;
  }
  std::string origin() const {
    return part(CURLUPART_SCHEME) + "://" + host() + ":" + part(CURLUPART_PORT, CURLU_DEFAULT_PORT);
  }

  CURLU *handle;
  bool right = false;
};

} // namespace

struct Poster::Post {
  Posted result;
  Message message;
  std::string secrets, location, refused; // the last: an address that isn't allowed
  curl_slist *headers = nullptr;
  CURL *easy = nullptr;
  const Rules *rules = nullptr;
  bool may_be_private = false;
  int redirections = 0;
  Clock::time_point begun;
  double allowed = 0;

  Post() = default;
  Post(const Post &) = delete;
  Post &operator=(const Post &) = delete;
  ~Post() {
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
  }

  static std::size_t keep_body(char *data, std::size_t, std::size_t size, void *self) {
    std::string &kept = static_cast<Post *>(self)->result.response;
    kept.append(data, std::min(size, kKeptResponse - std::min(kept.size(), kKeptResponse)));
    return size;
  }

  static std::size_t keep_header(char *data, std::size_t, std::size_t size, void *self) {
    const std::string_view line(data, size);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return size;
    const std::string name = lowered(line.substr(0, colon));
    auto &post = *static_cast<Post *>(self);
    if (name == "retry-after") post.result.retry_after = trimmed(line.substr(colon + 1));
    if (name == "location") post.location = trimmed(line.substr(colon + 1));
    return size;
  }

  // The address that is connected to is looked at, not the name: whatever a name means the next moment.
  static curl_socket_t open_socket(void *self, curlsocktype, curl_sockaddr *address) {
    auto &post = *static_cast<Post *>(self);
    if (!post.may_be_private && !is_public_address(&address->addr)) {
      post.refused = address_text(&address->addr);
      return CURL_SOCKET_BAD;
    }
    const int socket = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    return socket < 0 ? CURL_SOCKET_BAD : socket;
  }

  void set_headers() {
    curl_slist_free_all(headers);
    headers = nullptr;
    const auto add = [this](const std::string &line) { headers = curl_slist_append(headers, line.c_str()); };
    for (const auto &[name, value] : message.headers) add(name + ": " + value);
    add("Expect:");
    if (message.sign) {
      std::string id;
      for (const auto &[name, value] : message.headers)
        if (name == "Idempotency-Key") id = value;
      const std::int64_t now = std::time(nullptr);
      add("webhook-id: " + id);
      add("webhook-timestamp: " + std::to_string(now));
      add("webhook-signature: " + webhook_signature(secrets, id, now, message.body));
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  }

  // False: it can't begin, and the result says why.
  bool prepare(const std::string &url) {
    const Url parts(url);
    if (!parts.right || parts.host().empty()) {
      result.error = "the url can't be read";
      return !(result.final = true);
    }
    const bool is_https = parts.part(CURLUPART_SCHEME) == "https";
    may_be_private = rules->private_hosts.contains(parts.host());
    if (!is_https && !(parts.part(CURLUPART_SCHEME) == "http" && may_be_private)) {
      result.error = "only https is allowed";
      return !(result.final = true);
    }
    result.response.clear();
    result.retry_after.clear();
    location.clear();
    message.url = url;
    curl_easy_reset(easy);
    curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, is_https ? "https" : "http");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, message.method.c_str());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(message.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, message.body.c_str());
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!rules->ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, rules->ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_PROXY, ""); // behind one, its address would be all that is looked at
    curl_easy_setopt(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    const double left = std::max(0.001, allowed - seconds_since(begun));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(left * 1000) + 1);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(left * 1000) + 1);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, (std::string("pqlctl/") + program_version()).c_str());
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &Post::open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Post::keep_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Post::keep_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
    set_headers();
    return true;
  }

  // Where to go on to; empty: nowhere. Personal data and secrets go to the host that was named, and to no other.
  std::string next_url() {
    if (result.status < 300 || result.status >= 400) return {};
    result.final = true;
    const Url before(message.url), after(message.url);
    const bool read =
        after.right && !location.empty() && curl_url_set(after.handle, CURLUPART_URL, location.c_str(), 0) == CURLUE_OK;
    if (!read)
      result.error = "redirected to nowhere";
    else if (after.origin() != before.origin())
      result.error = "redirected to another host: " + after.part(CURLUPART_SCHEME) + "://" + after.host();
    else if (result.status != 307 && result.status != 308)
      result.error = "redirected by status " + std::to_string(result.status) + ", which is none for a post";
    else if (++redirections > kMostRedirections)
      result.error = "redirected too often";
    if (!result.error.empty()) return {};
    result.final = false;
    return after.part(CURLUPART_URL);
  }

  void note(CURLcode code) {
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &result.status);
    if (code == CURLE_OK) return;
    result.status = 0; // an answer that broke off is none
    result.error = code == CURLE_OPERATION_TIMEDOUT ? "timeout" : curl_easy_strerror(code);
    if (refused.empty()) return;
    result.error = "the address " + refused + " is not public";
    result.final = true;
  }
};

struct Poster::Impl {
  Rules rules;
  CURLM *multi = nullptr;
  std::map<CURL *, std::unique_ptr<Post>> posts;
  std::list<Posted> done; // what could not even begin
};

Poster::Poster(Rules rules) : impl_(std::make_unique<Impl>()) {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw std::runtime_error("libcurl can't be initialized");
  impl_->rules = std::move(rules);
  impl_->multi = curl_multi_init();
  if (!impl_->multi) throw std::bad_alloc();
}

Poster::~Poster() {
  for (const auto &[easy, post] : impl_->posts) curl_multi_remove_handle(impl_->multi, easy);
  impl_->posts.clear();
  curl_multi_cleanup(impl_->multi);
}

std::size_t Poster::busy() const noexcept { return impl_->posts.size() + impl_->done.size(); }

void Poster::begin(std::int64_t id, const Message &message, double seconds, const std::string &secrets) {
  auto post = std::make_unique<Post>();
  post->result.id = id;
  post->message = message;
  post->secrets = secrets;
  post->rules = &impl_->rules;
  post->allowed = seconds;
  post->begun = Clock::now();
  post->easy = curl_easy_init();
  if (!post->easy) throw std::bad_alloc();
  if (!post->prepare(message.url)) {
    impl_->done.push_back(std::move(post->result));
    return;
  }
  curl_multi_add_handle(impl_->multi, post->easy);
  CURL *const easy = post->easy;
  impl_->posts.emplace(easy, std::move(post));
}

std::vector<Posted> Poster::wait(double seconds, int socket) {
  std::vector<Posted> ended(impl_->done.begin(), impl_->done.end());
  impl_->done.clear();
  int running = 0, left = 0;
  curl_multi_perform(impl_->multi, &running);
  if (ended.empty() && static_cast<std::size_t>(running) == impl_->posts.size()) {
    curl_waitfd extra{socket, CURL_WAIT_POLLIN, 0};
    curl_multi_poll(impl_->multi, socket < 0 ? nullptr : &extra, socket < 0 ? 0 : 1, static_cast<int>(seconds * 1000),
                    nullptr);
    curl_multi_perform(impl_->multi, &running);
  }
  while (CURLMsg *const m = curl_multi_info_read(impl_->multi, &left)) {
    if (m->msg != CURLMSG_DONE) continue;
    const auto found = impl_->posts.find(m->easy_handle);
    const CURLcode code = m->data.result;
    Post &post = *found->second;
    curl_multi_remove_handle(impl_->multi, post.easy);
    post.note(code);
    if (const std::string next = post.next_url(); !next.empty() && post.prepare(next)) {
      curl_multi_add_handle(impl_->multi, post.easy);
      continue;
    }
    post.result.seconds = seconds_since(post.begun);
    ended.push_back(std::move(post.result));
    impl_->posts.erase(found);
  }
  return ended;
}

} // namespace pql::cli
