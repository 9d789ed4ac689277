#include "common/net/tls.h"

#include <algorithm>
#include <cctype>
#include <ctime>
#include <optional>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "common/base/handed_files.h"
#include "common/base/panic.h"
#include "common/base/text.h"

namespace holdfast::net {
namespace {

constexpr const char* kDebianCaFile = "/etc/ssl/certs/ca-certificates.crt";
constexpr std::size_t kPinBytes = 32;
// Forward secrecy first. The last two are for old peers, whose mail would else go in the clear.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:ECDHE+AES:DHE+AES:RSA+AESGCM:RSA+AES:"
                                 "!aNULL:!eNULL:!PSK:!SRP:!DSS";
constexpr const char* kGroups = "X25519:P-256:X448:P-384:P-521:ffdhe2048:ffdhe3072";

// Instead of OpenSSL's question on the terminal.
int no_password(char*, int, int, void*) { return 0; }

std::string openssl_reason() {
  const char* text = ERR_reason_error_string(ERR_peek_last_error());
  return text == nullptr ? "unknown error" : text;
}

detail::ContextPtr make_context(const SSL_METHOD* method) {
  ERR_clear_error();
  detail::ContextPtr context(SSL_CTX_new(method), SSL_CTX_free);
  base::expect(context != nullptr, "no memory for TLS");
  SSL_CTX* c = context.get();
  SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
  SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(c, 0);
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);
  base::expect(SSL_CTX_set_cipher_list(c, kCiphers) == 1, "the TLS ciphers");
  base::expect(SSL_CTX_set1_groups_list(c, kGroups) == 1, "the TLS groups");
  SSL_CTX_set_default_passwd_cb(c, no_password);
  return context;
}

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

Owned<BIO> reader_of(const std::string& pem) { return Owned<BIO>(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))); }

// The end of a PEM text is an error for OpenSSL; any other one means that something in it is broken.
bool at_end_of_pem() {
  const auto error = ERR_peek_last_error();
  const bool end = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  if (end) ERR_clear_error();
  return end;
}

// The certificate first, then those of its issuers.
bool use_chain(SSL_CTX* context, const std::string& pem) {
  const auto bio = reader_of(pem);
  const Owned<X509> own(PEM_read_bio_X509_AUX(bio.get(), nullptr, no_password, nullptr));
  if (own == nullptr || SSL_CTX_use_certificate(context, own.get()) != 1 || SSL_CTX_clear_chain_certs(context) != 1) return false;
  while (Owned<X509> issuer{PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr)}) {
    if (SSL_CTX_add1_chain_cert(context, issuer.get()) != 1) return false;
  }
  return at_end_of_pem();
}

bool use_key(SSL_CTX* context, const std::string& pem) {
  const Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(reader_of(pem).get(), nullptr, no_password, nullptr));
  return key != nullptr && SSL_CTX_use_PrivateKey(context, key.get()) == 1;
}

// "" or why the pair cannot be used.
std::string use(SSL_CTX* context, const KeyPair& pair) {
  const auto certificate = base::read_handed(pair.certificate);
  if (!certificate) return certificate.error().text;
  const auto key = base::read_handed(pair.key);
  if (!key) return key.error().text;
  ERR_clear_error();
  if (!use_chain(context, *certificate)) return pair.certificate + ": no certificate in PEM form (" + openssl_reason() + ")";
  ERR_clear_error();
  if (!use_key(context, *key)) {
    if (ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH) {
      return pair.key + ": not the key of the certificate in " + pair.certificate;
    }
    return pair.key + ": no private key in PEM form, without a password (" + openssl_reason() + ")";
  }
  if (SSL_CTX_check_private_key(context) != 1) return pair.key + ": not the key of the certificate in " + pair.certificate;
  return {};
}

bool add_cas(SSL_CTX* context, const std::string& pem) {
  const auto bio = reader_of(pem);
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  int count = 0;
  while (Owned<X509> ca{PEM_read_bio_X509_AUX(bio.get(), nullptr, no_password, nullptr)}) {
    if (X509_STORE_add_cert(store, ca.get()) != 1) return false;
    ++count;
  }
  return count > 0 && at_end_of_pem();
}

std::string load_cas(SSL_CTX* context, const std::string& file) {
  ERR_clear_error();
  if (!file.empty()) {
    const auto text = base::read_handed(file);
    if (!text) return text.error().text;
    if (!add_cas(context, *text)) return file + ": no CA certificates in PEM form (" + openssl_reason() + ")";
  } else if (SSL_CTX_load_verify_file(context, kDebianCaFile) != 1) {
    SSL_CTX_set_default_verify_paths(context);
  }
  return {};
}

bool is_address(const std::string& name) {
  in6_addr room{};
  return ::inet_pton(AF_INET, name.c_str(), &room) == 1 || ::inet_pton(AF_INET6, name.c_str(), &room) == 1;
}

std::string hexadecimal(const unsigned char* bytes, std::size_t size) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (std::size_t i = 0; i < size; ++i) {
    out += kDigits[bytes[i] >> 4];
    out += kDigits[bytes[i] & 15];
  }
  return out;
}

std::optional<std::string> normal_pin(std::string_view pin) {
  const auto hex = [](char ch) { return std::isxdigit(static_cast<unsigned char>(ch)) != 0; };
  if (pin.size() == 2 * kPinBytes && std::ranges::all_of(pin, hex)) {
    std::string out(pin);
    std::ranges::transform(out, out.begin(), [](char ch) { return ch >= 'a' ? static_cast<char>(ch - 32) : ch; });
    return out;
  }
  unsigned char bytes[kPinBytes + 1];
  const bool base64 = pin.size() == 44 && pin[42] != '=' && pin[43] == '=' &&
                      EVP_DecodeBlock(bytes, reinterpret_cast<const unsigned char*>(pin.data()), 44) == kPinBytes + 1;
  ERR_clear_error();
  return base64 ? std::optional(hexadecimal(bytes, kPinBytes)) : std::nullopt;
}

std::string pin_of(const X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (size <= 0) return {};
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  const bool good = EVP_Digest(der, static_cast<std::size_t>(size), digest, &length, EVP_sha256(), nullptr) == 1;
  OPENSSL_free(der);
  return good ? hexadecimal(digest, length) : std::string();
}

// In place of the chain's check: only the key of the server's own certificate counts.
int check_pin(X509_STORE_CTX* store, void* pins) {
  const X509* certificate = X509_STORE_CTX_get0_cert(store);
  const auto& known = *static_cast<const std::vector<std::string>*>(pins);
  const bool good = certificate != nullptr && std::ranges::find(known, pin_of(certificate)) != known.end();
  X509_STORE_CTX_set_error(store, good ? X509_V_OK : X509_V_ERR_APPLICATION_VERIFICATION);
  return good ? 1 : 0;
}

}  // namespace

void detail::SslDelete::operator()(ssl_st* ssl) const { SSL_free(ssl); }

std::string fault_of(const KeyPair& pair) { return use(make_context(TLS_server_method()).get(), pair); }

std::string fault_of_ca_file(const std::string& file) { return load_cas(make_context(TLS_client_method()).get(), file); }

std::string fault_of_pin(std::string_view pin) {
  return normal_pin(pin) ? "" : "is not the SHA-256 of a key in base64 (44 characters) or hexadecimal (64)";
}

base::Result<std::shared_ptr<const TlsServer>> TlsServer::make(const KeyPair& main,
                                                               const std::map<std::string, KeyPair>& names) {
  const auto context_of = [](const KeyPair& pair) -> base::Result<detail::ContextPtr> {
    auto context = make_context(TLS_server_method());
    if (auto fault = use(context.get(), pair); !fault.empty()) return base::fail(base::Kind::kConfig, std::move(fault));
    return context;
  };
  const std::shared_ptr<TlsServer> made(new TlsServer);
  auto context = context_of(main);
  if (!context) return std::unexpected(context.error());
  made->main_ = *context;
  for (const auto& [name, pair] : names) {
    auto other = context_of(pair);
    if (!other) return std::unexpected(other.error());
    made->names_.emplace(name, *other);
  }
  if (!names.empty()) {
    SSL_CTX_set_tlsext_servername_callback(made->main_.get(), choose);
    SSL_CTX_set_tlsext_servername_arg(made->main_.get(), made.get());
  }
  return made;
}

int TlsServer::choose(ssl_st* ssl, int*, void* self) {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  const auto& names = static_cast<const TlsServer*>(self)->names_;
  const auto at = names.find(base::to_lower(name));
  if (at != names.end()) SSL_set_SSL_CTX(ssl, at->second.get());
  return SSL_TLSEXT_ERR_OK;
}

detail::SslPtr TlsServer::session() const { return detail::SslPtr(SSL_new(main_.get())); }

base::Result<base::Wall> certificate_end(const std::string& file) {
  const auto text = base::read_handed(file);
  if (!text) return std::unexpected(text.error());
  ERR_clear_error();
  const std::unique_ptr<BIO, int (*)(BIO*)> bytes(BIO_new_mem_buf(text->data(), static_cast<int>(text->size())), BIO_free);
  const std::unique_ptr<X509, void (*)(X509*)> certificate(PEM_read_bio_X509(bytes.get(), nullptr, no_password, nullptr), X509_free);
  if (certificate == nullptr) return base::fail(base::Kind::kConfig, file + ": no certificate in PEM form");
  std::tm time{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &time) != 1) {
    return base::fail(base::Kind::kConfig, file + ": its end cannot be read");
  }
  return base::Wall(base::Seconds(::timegm(&time)));
}

base::Result<std::shared_ptr<const TlsClient>> TlsClient::make(const Options& options) {
  const auto fail = [](std::string text) { return base::fail(base::Kind::kConfig, std::move(text)); };
  const std::shared_ptr<TlsClient> made(new TlsClient);
  made->trust_ = options.trust;
  made->context_ = make_context(TLS_client_method());
  SSL_CTX* context = made->context_.get();
  for (const auto& pin : options.pins) {
    auto normal = normal_pin(pin);
    if (!normal) return fail("the pin '" + pin + "' " + fault_of_pin(pin));
    made->pins_.push_back(std::move(*normal));
  }
  if (!options.own.certificate.empty()) {
    if (auto fault = use(context, options.own); !fault.empty()) return fail(std::move(fault));
  }
  switch (options.trust) {
    // A weak key is better than none, since the choice is the clear.
    case Trust::kAny: SSL_CTX_set_security_level(context, 0); break;
    case Trust::kVerify:
      if (auto fault = load_cas(context, options.ca_file); !fault.empty()) return fail(std::move(fault));
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
      break;
    case Trust::kPin:
      SSL_CTX_set_cert_verify_callback(context, check_pin, &made->pins_);
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
      break;
    case Trust::kDane: {
      made->tlsa_ = options.tlsa;
      made->names_ = options.names;
      base::expect(SSL_CTX_dane_enable(context) == 1, "DANE in OpenSSL");
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
      const detail::SslPtr trial(SSL_new(context));
      if (trial == nullptr || !made->set_dane(trial.get(), "trial.invalid")) return fail("no TLSA record that can be used");
      break;
    }
  }
  return made;
}

bool TlsClient::set_dane(ssl_st* ssl, const std::string& name) const {
  if (SSL_dane_enable(ssl, name.c_str()) != 1) return false;  // SNI, and the name that DANE-TA asks for
  SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
  X509_VERIFY_PARAM_set_hostflags(SSL_get0_param(ssl), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  for (const auto& other : names_) SSL_add1_host(ssl, other.c_str());
  std::size_t used = 0;
  for (const auto& record : tlsa_) {
    ERR_clear_error();
    const auto* data = reinterpret_cast<const unsigned char*>(record.data.data());
    if (SSL_dane_tlsa_add(ssl, record.usage, record.selector, record.matching, data, record.data.size()) == 1) ++used;
  }
  ERR_clear_error();
  return used > 0;
}

detail::SslPtr TlsClient::session(const std::string& name) const {
  detail::SslPtr ssl(SSL_new(context_.get()));
  if (ssl == nullptr) return ssl;
  if (trust_ == Trust::kDane) {
    base::expect(set_dane(ssl.get(), name), "TLSA records that could be used can be used again");
    return ssl;
  }
  const bool address = is_address(name);
  if (!address && !name.empty()) SSL_set_tlsext_host_name(ssl.get(), name.c_str());
  if (trust_ != Trust::kVerify) return ssl;
  X509_VERIFY_PARAM* rules = SSL_get0_param(ssl.get());
  X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const int good = address ? X509_VERIFY_PARAM_set1_ip_asc(rules, name.c_str())
                           : X509_VERIFY_PARAM_set1_host(rules, name.data(), name.size());
  base::expect(good == 1 && !name.empty(), "a server without a name to verify");
  return ssl;
}

}  // namespace holdfast::net
