// A regular expression of PCRE2, bounded: a match that would take too long is given up and counts as none. Case does not
// matter, as in Postfix's tables. Compiled to machine code (JIT) where the system lets us.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/base/error.h"

namespace holdfast::policy {

class Regex {
 public:
  static constexpr std::size_t kLongest = 4096;  // of a pattern, in octets

  enum class Found { kNo, kYes, kGaveUp };

  // kConfig says what is wrong and at which octet.
  static base::Result<Regex> compile(std::string_view pattern);
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

  Found search(std::string_view subject) const;
  const std::string& pattern() const { return pattern_; }

 private:
  struct Code;
  Regex(std::string pattern, std::unique_ptr<Code> code);

  std::string pattern_;
  std::unique_ptr<Code> code_;
};

}  // namespace holdfast::policy
