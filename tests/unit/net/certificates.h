// Certificates for tests, made by the library while the test runs, in a folder of their own.
#pragma once

#include <memory>
#include <string>

#include "common/net/tls.h"

namespace holdfast::net {

class Certificates {
 public:
  Certificates();
  ~Certificates();  // removes the folder
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  // Signed by our CA, for a DNS name or an IPv4 address; a negative `days` has expired.
  KeyPair make(const std::string& name, int days = 30);
  std::string ca_file() const;
  // Of the key in a pair, in base64 and in hexadecimal.
  static std::string pin(const KeyPair& pair);
  static std::string hex_pin(const KeyPair& pair);
  std::string write(const std::string& name, const std::string& text) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::net
