#include "common/net/tls_channel.h"

#include <algorithm>
#include <cstring>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "common/base/panic.h"
#include "common/base/text.h"

namespace holdfast::net::detail {
namespace {

// The most that one record holds.
constexpr std::size_t kRecord = 16 << 10;

std::string reason_of_failure(const SSL* ssl) {
  const unsigned long error = ERR_peek_error();
  const long verdict = SSL_get_verify_result(ssl);
  const bool of_certificate = ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED;
  if (of_certificate && verdict == X509_V_ERR_APPLICATION_VERIFICATION) return "the server's key is not one of the pinned";
  const char* text = of_certificate ? X509_verify_cert_error_string(verdict) : ERR_reason_error_string(error);
  return text == nullptr ? "protocol error" : text;
}

}  // namespace

// What OpenSSL takes for the network.
struct ChannelBio {
  static TlsChannel& channel(BIO* bio) { return *static_cast<TlsChannel*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* to, std::size_t room, std::size_t* got) {
    std::string_view& in = channel(bio).in_;
    BIO_clear_retry_flags(bio);
    *got = std::min(room, in.size());
    if (*got == 0) {
      BIO_set_retry_read(bio);
      return 0;
    }
    std::memcpy(to, in.data(), *got);
    in.remove_prefix(*got);
    return 1;
  }

  static int write(BIO* bio, const char* from, std::size_t size, std::size_t* done) {
    channel(bio).wire_.append(from, size);
    *done = size;
    return 1;
  }

  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
      base::expect(m != nullptr, "no memory for TLS");
      BIO_meth_set_read_ex(m, read);
      BIO_meth_set_write_ex(m, write);
      BIO_meth_set_ctrl(m, control);
      return m;
    }();
    return made;
  }
};

TlsChannel::TlsChannel(SslPtr ssl, bool server, std::shared_ptr<const void> context, std::string& wire)
    : ssl_(std::move(ssl)), context_(std::move(context)), wire_(wire) {
  BIO* bio = BIO_new(ChannelBio::method());
  base::expect(ssl_ != nullptr && bio != nullptr, "no memory for TLS");
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  server ? SSL_set_accept_state(ssl_.get()) : SSL_set_connect_state(ssl_.get());
}

TlsChannel::Step TlsChannel::handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result != 1) return step_of(result);
  secured_ = true;
  note_facts();
  return Step::kDone;
}

TlsChannel::Step TlsChannel::read(std::string_view& out) {
  static thread_local char plain[kRecord];
  ERR_clear_error();
  std::size_t got = 0;
  const int result = SSL_read_ex(ssl_.get(), plain, sizeof plain, &got);
  if (result != 1) return step_of(result);
  out = {plain, got};
  return Step::kDone;
}

TlsChannel::Step TlsChannel::step_of(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return Step::kMore;
    case SSL_ERROR_ZERO_RETURN: return Step::kClosed;
    default: break;
  }
  failed_ = true;
  reason_ = reason_of_failure(ssl_.get());
  ERR_clear_error();
  return Step::kFailed;
}

void TlsChannel::seal(std::size_t most) {
  const std::size_t size = std::min(most, pending.size());
  if (size == 0 || failed_) return;
  ERR_clear_error();
  std::size_t done = 0;
  // The wire takes everything: what fails here is OpenSSL itself, and reading will say so.
  if (SSL_write_ex(ssl_.get(), pending.data(), size, &done) != 1) {
    step_of(0);
    done = pending.size();
  }
  if (done == pending.size()) {
    pending.clear();
  } else {
    pending.erase(0, done);
  }
}

void TlsChannel::say_end() {
  if (!secured_ || failed_) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
}

void TlsChannel::note_facts() {
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl_.get());
  int possible = 0;
  const int used = SSL_CIPHER_get_bits(cipher, &possible);
  facts_.text = std::string(SSL_get_version(ssl_.get())) + " with cipher " + SSL_CIPHER_get_name(cipher) + " (" +
                std::to_string(used) + "/" + std::to_string(possible) + " bits)";
  const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
  if (SSL_is_server(ssl_.get()) == 1 && name != nullptr) facts_.server_name = base::to_lower(name);
  facts_.verified = SSL_get_verify_mode(ssl_.get()) == SSL_VERIFY_PEER && SSL_get_verify_result(ssl_.get()) == X509_V_OK;
  facts_.dane = facts_.verified && SSL_get0_dane_authority(ssl_.get(), nullptr, nullptr) >= 0;
}

}  // namespace holdfast::net::detail
