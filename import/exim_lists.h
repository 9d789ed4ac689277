// Exim's domain lists (its specification, chapter 10.8), as far as they are names.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "import/exim_text.h"

namespace holdfast::importer {

// A file of keys and values, as lsearch has it.
base::Result<std::vector<std::pair<std::string, std::string>>> read_lsearch(const std::string& file, const ReadFile& read);

class EximLists {
 public:
  EximLists(const EximOptions& main, const ReadFile& read) : main_(main), read_(read) {}

  // The items: +name replaced by what it names, files and lsearch by what they hold. What is no plain name comes as it is
  // (*.example.test); what cannot be known goes to `unknown`.
  std::vector<std::string> flat(const std::string& list, std::vector<std::string>& unknown) const;

  // Is the domain in the list? Nothing: it cannot be known.
  std::optional<bool> has(const std::string& list, const std::string& domain) const;

  const ReadFile& read() const { return read_; }

 private:
  void flatten(const std::string& list, int depth, std::vector<std::string>& out, std::vector<std::string>& unknown) const;
  std::optional<bool> has(const std::string& list, const std::string& domain, int depth) const;
  std::optional<bool> matches(const std::string& item, const std::string& domain, int depth) const;

  const EximOptions& main_;
  const ReadFile& read_;
};

}  // namespace holdfast::importer
