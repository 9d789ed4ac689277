// Messages and archives that the tests make.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include "filter/policy.h"
#include "filter/scan.h"

namespace holdfast::filter {

using namespace std::string_view_literals;

// A program of Windows as short as can be.
inline std::string program() {
  std::string out(128, '\0');
  out.replace(0, 2, "MZ");
  out[60] = 64;
  out.replace(64, 4, "PE\0\0"sv);
  return out;
}

using Files = std::vector<std::pair<std::string, std::string>>;

// By libarchive's own writer; `options` as "zip:encryption=zipcrypt", with the password "secret".
inline std::string packed(const char* format, const Files& files, const char* options = nullptr, const char* filter = nullptr) {
  std::string out;
  const auto append = [](struct archive*, void* to, const void* bytes, std::size_t size) {
    static_cast<std::string*>(to)->append(static_cast<const char*>(bytes), size);
    return static_cast<la_ssize_t>(size);
  };
  struct archive* a = archive_write_new();
  EXPECT_EQ(archive_write_set_format_by_name(a, format), ARCHIVE_OK) << archive_error_string(a);
  if (filter != nullptr) {
    EXPECT_EQ(archive_write_add_filter_by_name(a, filter), ARCHIVE_OK);
  }
  if (options != nullptr) {
    EXPECT_EQ(archive_write_set_options(a, options), ARCHIVE_OK) << archive_error_string(a);
    archive_write_set_passphrase(a, "secret");
  }
  archive_write_set_bytes_in_last_block(a, 1);
  EXPECT_EQ(archive_write_open(a, &out, nullptr, append, nullptr), ARCHIVE_OK);
  for (const auto& [name, content] : files) {
    struct archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname_utf8(entry, name.c_str());
    archive_entry_set_size(entry, static_cast<std::int64_t>(content.size()));
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    EXPECT_EQ(archive_write_header(a, entry), ARCHIVE_OK) << archive_error_string(a);
    EXPECT_EQ(archive_write_data(a, content.data(), content.size()), static_cast<la_ssize_t>(content.size()));
    archive_entry_free(entry);
  }
  EXPECT_EQ(archive_write_close(a), ARCHIVE_OK) << archive_error_string(a);
  archive_write_free(a);
  return out;
}

inline std::string base64(std::string_view bytes) {
  static constexpr char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j) out += i + j > bytes.size() ? '=' : kLetters[group >> (18 - 6 * j) & 63];
    if (i % 57 == 54) out += "\r\n";
  }
  return out + "\r\n";
}

// A part of its own: `head` are further lines of its header.
inline std::string part(std::string_view type, std::string_view head, std::string_view body) {
  return "Content-Type: " + std::string(type) + "\r\n" + std::string(head) + "\r\n" + std::string(body);
}
inline std::string attachment(std::string_view name, std::string_view content, std::string_view type = "application/octet-stream") {
  return part(type, "Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"" + std::string(name) + "\"\r\n",
              base64(content));
}

inline std::string message(const std::vector<std::string>& parts, std::string_view subtype = "mixed") {
  std::string out = "From: a@s.test\r\nTo: b@example.test\r\nSubject: parts\r\nMIME-Version: 1.0\r\nContent-Type: multipart/" +
                    std::string(subtype) + "; boundary=\"=_cut\"\r\n\r\n";
  for (const auto& p : parts) out += "--=_cut\r\n" + p + "\r\n";
  return out + "--=_cut--\r\n";
}
inline std::string with(std::string_view name, std::string_view content) {
  return message({part("text/plain", "", "see the attachment\r\n"), attachment(name, content)});
}

inline config::ContentFilter settings() {
  config::ContentFilter out;
  out.urls.blocked = {"evil.test", "b\xC3\xBC" "cher.example", "192.168.1.1"};
  out.depth = 3;
  out.entries = 100;
  out.bytes = 8 << 20;
  return out;
}

inline Report look(std::string_view bytes, const config::ContentFilter& how = settings(), bool all = true) {
  static const bool ready = (prepare_libraries(), true);
  EXPECT_TRUE(ready);
  return scan(bytes, Policy::from(how), [] { return false; }, all);
}

inline std::vector<std::string> texts(const Report& report) {
  std::vector<std::string> out;
  for (const auto& f : report.findings) out.push_back(f.text);
  return out;
}

inline std::string rules(const Report& report) {
  std::string out;
  for (const auto& f : report.findings) out += (out.empty() ? "" : " ") + std::string(to_text(f.rule));
  return out;
}

}  // namespace holdfast::filter
