#include "common/base/panic.h"

#include <cstdio>
#include <cstdlib>
#include <string>

namespace holdfast::base {
namespace {

void (*g_hook)(std::string_view) = nullptr;

}  // namespace

void set_panic_hook(void (*hook)(std::string_view)) { g_hook = hook; }

void panic(std::string_view what, std::source_location where) {
  const std::string text = "panic: " + std::string(what) + " (" + where.file_name() + ":" +
                           std::to_string(where.line()) + ")";
  std::fprintf(stderr, "%s\n", text.c_str());
  if (g_hook != nullptr) g_hook(text);
  std::abort();
}

}  // namespace holdfast::base
