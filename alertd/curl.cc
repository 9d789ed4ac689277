#include "alertd/curl.h"

#include <algorithm>
#include <cstring>

#include <curl/curl.h>
#include <fmt/core.h>

#include "common/base/handed_files.h"
#include "common/base/panic.h"
#include "common/base/text.h"

namespace holdfast::alertd {
namespace {

constexpr std::size_t kMostSaid = 300;

struct SlistDelete {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, SlistDelete>;

void append(List& list, const std::string& text) {
  curl_slist* longer = curl_slist_append(list.get(), text.c_str());
  base::expect(longer != nullptr, "no memory for a list of libcurl's");
  (void)list.release();
  list.reset(longer);
}

struct Transfer {
  CURL* easy = nullptr;
  std::string content;
  std::size_t sent = 0;
  std::string line, body;            // the last line of a header or a reply; the beginning of a body
  char error[CURL_ERROR_SIZE]{};
  List list;                         // headers, or the recipient
  bool mail = false;
  Curl::Done done;

  ~Transfer() {
    if (easy != nullptr) curl_easy_cleanup(easy);
  }
};

std::size_t give(char* to, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::size_t n = std::min(size * count, transfer.content.size() - transfer.sent);
  std::memcpy(to, transfer.content.data() + transfer.sent, n);
  transfer.sent += n;
  return n;
}

// A reply's lines of SMTP but the last one, which speaks of no mail; the status line of HTTP.
std::size_t take_line(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const auto line = base::trim(std::string_view(data, size * count));
  const bool goodbye = line.starts_with("221");
  if (!line.empty() && (transfer.mail ? !goodbye : line.starts_with("HTTP/"))) transfer.line = line.substr(0, kMostSaid);
  return size * count;
}

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  transfer.body.append(data, std::min(size * count, kMostSaid - std::min(kMostSaid, transfer.body.size())));
  return size * count;
}

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  base::expect(curl_easy_setopt(easy, option, value) == CURLE_OK, "an option that libcurl does not know");
}

void set_text(CURL* easy, CURLoption option, const std::string& value) { set(easy, option, value.c_str()); }

// "" or why not. The file is one that master may have read for us.
std::string set_trust(CURL* easy, bool verify, const std::string& ca_file) {
  set(easy, CURLOPT_SSL_VERIFYPEER, verify ? 1L : 0L);
  set(easy, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);
  if (!verify || ca_file.empty()) return "";
  auto text = base::read_handed(ca_file);
  if (!text) return text.error().text;
  curl_blob blob{text->data(), text->size(), CURL_BLOB_COPY};
  set(easy, CURLOPT_CAINFO_BLOB, &blob);
  return "";
}

std::string url_host(const std::string& host) { return host.find(':') == host.npos ? host : fmt::format("[{}]", host); }

std::string reason(const Transfer& transfer, CURLcode code) {
  const std::string_view detail = transfer.error;
  std::string out(detail.empty() ? curl_easy_strerror(code) : detail);
  if (transfer.mail && !transfer.line.empty()) out += fmt::format(" (the relay said: {})", transfer.line);
  return out;
}

Answer answer_of(const Transfer& transfer, CURLcode code) {
  if (code != CURLE_OK) return {false, base::printable(reason(transfer, code))};
  long status = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
  const bool ok = status >= 200 && status < 300;
  std::string said = transfer.line;
  if (!ok && !transfer.body.empty()) said += ": " + transfer.body;
  return {ok, base::printable(said)};
}

}  // namespace

struct Curl::Impl {
  struct Socket {
    std::unique_ptr<net::Watch> read, write;
  };

  explicit Impl(net::Loop& l) : loop(l), timer(l, [this] { act(CURL_SOCKET_TIMEOUT, 0); }) {
    base::expect(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK, "libcurl does not start");
    multi = curl_multi_init();
    base::expect(multi != nullptr, "no memory for libcurl");
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
    // Alerts are rare: nothing is kept open for the next one.
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 1L);
  }

  ~Impl() {
    *alive = false;
    for (auto& [easy, transfer] : transfers) curl_multi_remove_handle(multi, easy);
    transfers.clear();
    curl_multi_cleanup(multi);
  }

  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) {
    static_cast<Impl*>(self)->watch(fd, what);
    return 0;
  }

  static int on_timer(CURLM*, long wait_ms, void* self) {
    auto& timer = static_cast<Impl*>(self)->timer;
    wait_ms < 0 ? timer.stop() : timer.start(net::Millis(std::max(1L, wait_ms)));
    return 0;
  }

  void watch(curl_socket_t fd, int what) {
    Socket& socket = sockets[fd];
    const auto have = [&](std::unique_ptr<net::Watch>& one, net::Watch::For why, bool wanted, int event) {
      if (!wanted && one) {
        one->off();
        loop.bury(std::move(one));
      } else if (wanted && !one) {
        one = std::make_unique<net::Watch>(loop, fd, why, [this, fd, event] { act(fd, event); });
        one->on();
      }
    };
    have(socket.read, net::Watch::For::kRead, (what & CURL_POLL_IN) != 0 && what != CURL_POLL_REMOVE, CURL_CSELECT_IN);
    have(socket.write, net::Watch::For::kWrite, (what & CURL_POLL_OUT) != 0 && what != CURL_POLL_REMOVE, CURL_CSELECT_OUT);
    if (what == CURL_POLL_REMOVE) sockets.erase(fd);
  }

  void act(curl_socket_t fd, int events) {
    int running = 0;
    curl_multi_socket_action(multi, fd, events, &running);
    finish();
  }

  void finish() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* const easy = message->easy_handle;
      const CURLcode code = message->data.result;
      auto node = transfers.extract(easy);
      const Answer answer = answer_of(*node.mapped(), code);
      curl_multi_remove_handle(multi, easy);
      loop.later([still = alive, done = std::move(node.mapped()->done), answer] {
        if (*still) done(answer);
      });
    }
  }

  Transfer& fresh(Done done) {
    auto transfer = std::make_unique<Transfer>();
    transfer->easy = curl_easy_init();
    base::expect(transfer->easy != nullptr, "no memory for a transfer");
    transfer->done = std::move(done);
    CURL* const easy = transfer->easy;
    set(easy, CURLOPT_NOSIGNAL, 1L);
    set(easy, CURLOPT_ERRORBUFFER, transfer->error);
    set(easy, CURLOPT_CONNECTTIMEOUT, static_cast<long>(kConnectLimit.count()));
    set(easy, CURLOPT_TIMEOUT, static_cast<long>(kLimit.count()));
    set(easy, CURLOPT_HEADERFUNCTION, take_line);
    set(easy, CURLOPT_HEADERDATA, transfer.get());
    set(easy, CURLOPT_WRITEFUNCTION, take_body);
    set(easy, CURLOPT_WRITEDATA, transfer.get());
    set(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(easy, CURLOPT_FORBID_REUSE, 1L);
    return *transfers.emplace(easy, std::move(transfer)).first->second;
  }

  // `fault`: why it cannot begin.
  void begin(Transfer& transfer, const std::string& fault) {
    if (!fault.empty()) {
      auto node = transfers.extract(transfer.easy);
      return loop.later([still = alive, done = std::move(node.mapped()->done), fault] {
        if (*still) done({false, fault});
      });
    }
    base::expect(curl_multi_add_handle(multi, transfer.easy) == CURLM_OK, "libcurl takes no transfer");
  }

  net::Loop& loop;
  net::Timer timer;
  CURLM* multi = nullptr;
  std::map<curl_socket_t, Socket> sockets;
  std::map<CURL*, std::unique_ptr<Transfer>> transfers;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

Curl::Curl(net::Loop& loop) : impl_(std::make_unique<Impl>(loop)) {}
Curl::~Curl() = default;

void Curl::submit(const Submission& mail, Done done) {
  Transfer& transfer = impl_->fresh(std::move(done));
  transfer.mail = true;
  transfer.content = mail.content;
  CURL* const easy = transfer.easy;
  const bool at_once = mail.port == 465 && mail.tls != "off";  // RFC 8314, section 3.3
  set_text(easy, CURLOPT_URL, fmt::format("{}://{}:{}/{}", at_once ? "smtps" : "smtp", url_host(mail.host), mail.port, mail.helo));
  set_text(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  set(easy, CURLOPT_USE_SSL, static_cast<long>(mail.tls == "off" ? CURLUSESSL_NONE : mail.tls == "may" ? CURLUSESSL_TRY : CURLUSESSL_ALL));
  const std::string fault = set_trust(easy, mail.tls == "verify", mail.ca_file);
  if (!mail.user.empty()) {
    set_text(easy, CURLOPT_USERNAME, mail.user);
    set_text(easy, CURLOPT_PASSWORD, mail.password);
    set(easy, CURLOPT_SASL_IR, 1L);
  }
  set_text(easy, CURLOPT_MAIL_FROM, mail.from);
  append(transfer.list, mail.to);
  set(easy, CURLOPT_MAIL_RCPT, transfer.list.get());
  set(easy, CURLOPT_UPLOAD, 1L);
  set(easy, CURLOPT_READFUNCTION, give);
  set(easy, CURLOPT_READDATA, &transfer);
  impl_->begin(transfer, fault);
}

void Curl::post(const Post& post, Done done) {
  Transfer& transfer = impl_->fresh(std::move(done));
  transfer.content = post.content;
  CURL* const easy = transfer.easy;
  set_text(easy, CURLOPT_URL, post.url);
  set_text(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set_text(easy, CURLOPT_USERAGENT, "Holdfast");
  const std::string fault = set_trust(easy, true, post.ca_file);
  for (const auto& header : post.headers) append(transfer.list, header);
  append(transfer.list, "Expect:");  // no question beforehand
  set(easy, CURLOPT_HTTPHEADER, transfer.list.get());
  set(easy, CURLOPT_POST, 1L);
  set(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(transfer.content.size()));
  set(easy, CURLOPT_POSTFIELDS, transfer.content.c_str());
  impl_->begin(transfer, fault);
}

}  // namespace holdfast::alertd
