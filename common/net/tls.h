// TLS for streams: what a server shows and what a client asks of one, each made once and shared by many
// streams (Stream::start_tls()). OpenSSL 3; TLS 1.2 and 1.3; no renegotiation, no compression, no session
// tickets or caches, so that nothing outlives its connection.
//
// Making one reads files: at start and on a reload, not while mail waits. What was made never changes and may be
// shared by threads. A stream that uses one keeps it alive.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"
#include "common/base/time.h"

struct ssl_ctx_st;
struct ssl_st;

namespace holdfast::net {

// PEM files: the certificate with those of its issuers behind it, and its private key without a password.
struct KeyPair {
  std::string certificate, key;
  bool operator==(const KeyPair&) const = default;
};

// "" or what is wrong with it, naming the file: unreadable, no certificate, a key that is not the certificate's.
std::string fault_of(const KeyPair& pair);
// When the first certificate of a PEM file ends; kConfig when there is none in it.
base::Result<base::Wall> certificate_end(const std::string& file);
// The same of a file of CA certificates.
std::string fault_of_ca_file(const std::string& file);
// "" or what is wrong with a pin: the SHA-256 of a public key (SubjectPublicKeyInfo) in base64 or hexadecimal.
std::string fault_of_pin(std::string_view pin);

// What the domain name system says of a server's certificate (RFC 6698): usage, selector, matching type, data.
struct TlsaRecord {
  std::uint8_t usage = 0, selector = 0, matching = 0;
  std::string data;

  auto operator<=>(const TlsaRecord&) const = default;
};

// What a handshake led to. `text` is as in Postfix's log lines: "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384
// (256/256 bits)".
struct TlsFacts {
  std::string text;
  std::string server_name;  // server: the name that the client asked for (SNI), if it did
  bool verified = false;    // client: the certificate's chain and name are good, or its key is pinned
  bool dane = false;        // client: it is what a TLSA record says
};

namespace detail {
struct SslDelete {
  void operator()(ssl_st* ssl) const;
};
using SslPtr = std::unique_ptr<ssl_st, SslDelete>;
using ContextPtr = std::shared_ptr<ssl_ctx_st>;
}  // namespace detail

class TlsServer {
 public:
  // `names`: certificates for clients that ask for these names (SNI), lower case; all others get `main`.
  static base::Result<std::shared_ptr<const TlsServer>> make(const KeyPair& main,
                                                             const std::map<std::string, KeyPair>& names = {});

 private:
  friend class Stream;
  TlsServer() = default;
  detail::SslPtr session() const;
  static int choose(ssl_st* ssl, int* alert, void* self);

  detail::ContextPtr main_;
  std::map<std::string, detail::ContextPtr> names_;
};

class TlsClient {
 public:
  enum class Trust {
    kAny,     // whoever answers: protects from those who only listen
    kVerify,  // a chain to a known CA, and the server's name in the certificate
    kPin,     // one of `pins`, whatever the chain
    kDane,    // one of `tlsa` (RFC 7671; DANE-EE says all: neither names nor dates count, section 5.1)
  };
  struct Options {
    Trust trust = Trust::kAny;
    std::string ca_file{};  // empty: the system's
    std::vector<std::string> pins{};
    KeyPair own{};  // a certificate of ours, for servers that ask for one; empty: none
    // kDane: make() fails if OpenSSL takes none of them. `names` may be in the certificate beside the session's own.
    std::vector<TlsaRecord> tlsa{};
    std::vector<std::string> names{};
  };
  static base::Result<std::shared_ptr<const TlsClient>> make(const Options& options);

 private:
  friend class Stream;
  TlsClient() = default;
  // `name` goes out as SNI unless it is an address, and is what the certificate must be for.
  detail::SslPtr session(const std::string& name) const;
  // False: none of the records can be used.
  bool set_dane(ssl_st* ssl, const std::string& name) const;

  detail::ContextPtr context_;
  Trust trust_ = Trust::kAny;
  std::vector<std::string> pins_;  // hexadecimal, upper case
  std::vector<TlsaRecord> tlsa_;
  std::vector<std::string> names_;
};

}  // namespace holdfast::net
