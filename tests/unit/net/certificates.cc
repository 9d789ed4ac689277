#include "tests/unit/net/certificates.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace holdfast::net {
namespace {

struct Delete {
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(X509* p) const { X509_free(p); }
  void operator()(BIO* p) const { BIO_free(p); }
};
using Key = std::unique_ptr<EVP_PKEY, Delete>;
using Certificate = std::unique_ptr<X509, Delete>;

constexpr long kDay = 86400;

void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate certify(const std::string& name, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key, int days, long serial) {
  Certificate out(X509_new());
  X509_set_version(out.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(out.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(out.get()), -60 * kDay);
  X509_gmtime_adj(X509_getm_notAfter(out.get()), days * kDay);
  X509_set_pubkey(out.get(), key);
  X509_NAME* subject = X509_get_subject_name(out.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509* signer = issuer == nullptr ? out.get() : issuer;
  X509_set_issuer_name(out.get(), X509_get_subject_name(signer));
  extend(out.get(), signer, NID_basic_constraints, issuer == nullptr ? "critical,CA:TRUE" : "CA:FALSE");
  const bool address = name.find_first_not_of("0123456789.") == name.npos;
  if (issuer != nullptr) extend(out.get(), signer, NID_subject_alt_name, (address ? "IP:" : "DNS:") + name);
  X509_sign(out.get(), issuer_key, EVP_sha256());
  return out;
}

template <class Write>
std::string pem(Write write) {
  const std::unique_ptr<BIO, Delete> bio(BIO_new(BIO_s_mem()));
  write(bio.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate) {
  return pem([&](BIO* bio) { PEM_write_bio_X509(bio, certificate); });
}

std::string digest_of_key(const KeyPair& pair) {
  const std::unique_ptr<BIO, Delete> file(BIO_new_file(pair.certificate.c_str(), "r"));
  const Certificate certificate(PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr));
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(X509_get0_pubkey(certificate.get()), &der);
  unsigned char digest[32];
  EVP_Digest(der, static_cast<std::size_t>(size), digest, nullptr, EVP_sha256(), nullptr);
  OPENSSL_free(der);
  return {reinterpret_cast<const char*>(digest), sizeof digest};
}

}  // namespace

struct Certificates::Impl {
  std::string folder;
  Key key{EVP_EC_gen("P-256")};
  Certificate authority = certify("test CA", key.get(), nullptr, key.get(), 30, 1);
  long serial = 1;
};

Certificates::Certificates() : impl_(std::make_unique<Impl>()) {
  std::string pattern = (std::filesystem::temp_directory_path() / "holdfast-tls-XXXXXX").string();
  impl_->folder = ::mkdtemp(pattern.data());
  write("ca.pem", pem_of(impl_->authority.get()));
}

Certificates::~Certificates() { std::filesystem::remove_all(impl_->folder); }

std::string Certificates::ca_file() const { return impl_->folder + "/ca.pem"; }

std::string Certificates::write(const std::string& name, const std::string& text) const {
  const std::string path = impl_->folder + "/" + name;
  std::ofstream(path) << text;
  return path;
}

KeyPair Certificates::make(const std::string& name, int days) {
  const Key key(EVP_EC_gen("P-256"));
  const auto certificate = certify(name, key.get(), impl_->authority.get(), impl_->key.get(), days, ++impl_->serial);
  const std::string base = std::to_string(impl_->serial) + "-" + name;
  return {write(base + ".pem", pem_of(certificate.get())), write(base + ".key", pem([&](BIO* bio) {
            PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
          }))};
}

std::string Certificates::pin(const KeyPair& pair) {
  const std::string digest = digest_of_key(pair);
  unsigned char text[64];
  const int size = EVP_EncodeBlock(text, reinterpret_cast<const unsigned char*>(digest.data()), static_cast<int>(digest.size()));
  return {reinterpret_cast<const char*>(text), static_cast<std::size_t>(size)};
}

std::string Certificates::hex_pin(const KeyPair& pair) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : digest_of_key(pair)) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

}  // namespace holdfast::net
