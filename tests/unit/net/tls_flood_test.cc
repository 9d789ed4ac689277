// What TLS answers by itself to a peer that reads none of it is bounded (stream_tls.cc). On a pair of Unix sockets: TCP
// drops what a full receiver is sent, acknowledgements with it, so that the peer's requests stop before our bound does.
#include <csignal>
#include <memory>
#include <optional>

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "common/net/stream.h"
#include "common/net/tls.h"
#include "tests/unit/net/certificates.h"

namespace holdfast::net {
namespace {

struct Victim : StreamHandler {
  explicit Victim(Loop& l) : loop(l) {}
  void on_data(std::string_view) override {}
  void on_end(std::string_view reason) override {
    end = std::string(reason);
    loop.stop();
  }
  Loop& loop;
  std::optional<std::string> end;
};

// A TLS 1.3 client that asks for new keys again and again (RFC 8446 section 4.6.3), each of which has an answer.
class KeyFlood {
 public:
  KeyFlood(Loop& loop, base::UniqueFd fd) : fd_(std::move(fd)), writable_(loop, fd_.get(), Watch::For::kWrite, [this] { step(); }) {
    ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL, also when the server has gone
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_3_VERSION);
    SSL_set_fd(ssl_.get(), fd_.get());
    SSL_set_connect_state(ssl_.get());
    writable_.on();
  }
  int asked() const { return asked_; }

 private:
  static constexpr int kAtOnce = 100;  // then the server has its turn

  void step() {
    for (int i = 0; i < kAtOnce; ++i) {
      if (SSL_do_handshake(ssl_.get()) != 1) return;  // the first one, or one that could not be written yet
      if (SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_REQUESTED) != 1) return;
      ++asked_;
    }
  }

  base::UniqueFd fd_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{SSL_CTX_new(TLS_client_method()), SSL_CTX_free};
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{SSL_new(context_.get()), SSL_free};
  Watch writable_;
  int asked_ = 0;
};

TEST(TlsFlood, OfRequestsForNewKeysWhoseAnswersNobodyReads) {
  Certificates certificates;
  const auto shown = TlsServer::make(certificates.make("mx.example"), {});
  ASSERT_TRUE(shown) << shown.error().text;
  int fds[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
  Loop loop;
  Victim victim(loop);
  Stream stream(loop, base::UniqueFd(fds[1]), victim);
  stream.start_tls(*shown, Millis{5000});
  KeyFlood flood(loop, base::UniqueFd(fds[0]));
  Timer limit(loop, [&] { loop.stop(); });
  limit.start(Millis{60'000});
  loop.run();
  EXPECT_EQ(victim.end, "TLS: the peer does not read");
  EXPECT_LT(flood.asked(), 100'000) << "what waits is 1 MiB, and what the socket takes";
}

}  // namespace
}  // namespace holdfast::net
