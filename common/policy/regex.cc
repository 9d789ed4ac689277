#include "common/policy/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <fmt/format.h>

namespace holdfast::policy {
namespace {

// Steps of one match, its depth, and its memory in KiB: an address of 320 octets needs few.
constexpr std::uint32_t kSteps = 20'000, kDepth = 1'000, kHeap = 512;

PCRE2_SPTR bytes(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

std::string words(int code) {
  PCRE2_UCHAR out[256];
  const int length = pcre2_get_error_message(code, out, sizeof out);
  return length < 0 ? "error" : std::string(reinterpret_cast<const char*>(out), static_cast<std::size_t>(length));
}

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeData {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct FreeContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

}  // namespace

struct Regex::Code {
  std::unique_ptr<pcre2_code, FreeCode> code;
  std::unique_ptr<pcre2_match_data, FreeData> data;
  std::unique_ptr<pcre2_match_context, FreeContext> context;
};

Regex::Regex(std::string pattern, std::unique_ptr<Code> code) : pattern_(std::move(pattern)), code_(std::move(code)) {}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

base::Result<Regex> Regex::compile(std::string_view pattern) {
  if (pattern.size() > kLongest) return base::fail(base::Kind::kConfig, fmt::format("a regular expression has {} octets at most", kLongest));
  int error = 0;
  PCRE2_SIZE at = 0;
  auto made = std::make_unique<Code>();
  made->code.reset(pcre2_compile(bytes(pattern), pattern.size(), PCRE2_CASELESS | PCRE2_NEVER_BACKSLASH_C, &error, &at, nullptr));
  if (!made->code) return base::fail(base::Kind::kConfig, fmt::format("'/{}/' at {}: {}", pattern, at, words(error)));
  pcre2_jit_compile(made->code.get(), PCRE2_JIT_COMPLETE);  // where that fails it is interpreted
  made->data.reset(pcre2_match_data_create(1, nullptr));
  made->context.reset(pcre2_match_context_create(nullptr));
  if (!made->data || !made->context) return base::fail(base::Kind::kTemporary, "no memory for a regular expression");
  pcre2_set_match_limit(made->context.get(), kSteps);
  pcre2_set_depth_limit(made->context.get(), kDepth);
  pcre2_set_heap_limit(made->context.get(), kHeap);
  return Regex(std::string(pattern), std::move(made));
}

Regex::Found Regex::search(std::string_view subject) const {
  const int found = pcre2_match(code_->code.get(), bytes(subject), subject.size(), 0, 0, code_->data.get(), code_->context.get());
  if (found >= 0) return Found::kYes;
  return found == PCRE2_ERROR_NOMATCH ? Found::kNo : Found::kGaveUp;
}

}  // namespace holdfast::policy
