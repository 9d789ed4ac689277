#include "common/base/idn.h"

#include <algorithm>
#include <memory>

#include <idn2.h>

#include "common/base/text.h"

namespace holdfast::base {

std::optional<std::string> ascii_domain(std::string_view domain) {
  const bool ascii = std::all_of(domain.begin(), domain.end(), [](char c) { return static_cast<unsigned char>(c) < 128; });
  if (ascii) return to_lower(domain);
  if (domain.find('\0') != std::string_view::npos) return std::nullopt;  // libidn2 would read up to it
  char* raw = nullptr;
  if (idn2_to_ascii_8z(std::string(domain).c_str(), &raw, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) != IDN2_OK) {
    return std::nullopt;
  }
  const std::unique_ptr<char, void (*)(void*)> owner(raw, &idn2_free);
  return to_lower(raw);
}

}  // namespace holdfast::base
