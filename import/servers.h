// Servers as other mail systems write them, in our form.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/error.h"

namespace holdfast::importer {

// A name or an address, with or without brackets, without a port: "mail.example.test:25", "[2001:db8::1]:25".
// kData: neither.
base::Result<std::string> server_text(std::string_view host, int port);

// A domain that gateway.yaml may have; else what is wrong with it.
std::string domain_fault(std::string_view name);

}  // namespace holdfast::importer
