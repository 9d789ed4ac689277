#include "filter/archive.h"

#include <cstring>
#include <memory>
#include <vector>

#include <archive.h>
#include <archive_entry.h>

#include "filter/kinds.h"
#include "filter/names.h"

namespace holdfast::filter {
namespace {

using namespace std::string_view_literals;

struct Closed {
  void operator()(struct archive* a) const { archive_read_free(a); }
};
using Reader = std::unique_ptr<struct archive, Closed>;

void support_all(struct archive* a) {
  archive_read_support_format_zip_seekable(a);
  archive_read_support_format_zip_streamable(a);
  archive_read_support_format_tar(a);
  archive_read_support_format_7zip(a);
  archive_read_support_format_rar(a);
  archive_read_support_format_rar5(a);
  archive_read_support_format_cab(a);
  archive_read_support_format_iso9660(a);
  archive_read_support_format_cpio(a);
  archive_read_support_format_lha(a);
}

// None that starts a program of its own: the sandbox would end us. With `raw` a compressed file is a single one, whatever it
// looks like.
Reader open_reader(std::string_view bytes, bool raw) {
  Reader out(archive_read_new());
  if (out == nullptr) return nullptr;
  struct archive* a = out.get();
  if (!raw) support_all(a);
  if (is_compressed(bytes)) {
    archive_read_support_format_raw(a);
    archive_read_support_filter_gzip(a);
    archive_read_support_filter_bzip2(a);
    archive_read_support_filter_xz(a);
    archive_read_support_filter_zstd(a);
    archive_read_support_filter_compress(a);
  }
  if (archive_read_open_memory(a, bytes.data(), bytes.size()) != ARCHIVE_OK) return nullptr;
  return out;
}

class Walk {
 public:
  Walk(std::string_view bytes, std::string_view name, ArchiveVisitor& visitor, Budget& budget)
      : bytes_(bytes), name_(name), visitor_(visitor), budget_(budget), buffer_(64 << 10) {}

  ArchiveResult run() {
    if (is_zip(bytes_) && !(zip_names("PK\x03\x04"sv, 30, 26) && zip_names("PK\x01\x02"sv, 46, 28))) return result_;
    read_as(false);
    // Zeros are the end of a tar, whatever follows.
    if (entries_ == 0 && is_compressed(bytes_) && !result_.damaged && !result_.encrypted) read_as(true);
    return result_;
  }

 private:
  void read_as(bool raw) {
    reader_ = open_reader(bytes_, raw);
    if (reader_ == nullptr) return damaged();
    while (next()) {}
    if (archive_read_has_encrypted_entries(reader_.get()) > 0) result_.encrypted = true;
  }

  // A zip says each name twice, and which of them counts depends on the program that opens it: both are looked for by the
  // signature before them. False: enough has been seen.
  bool zip_names(std::string_view signature, std::size_t header, std::size_t size_at) {
    for (auto at = bytes_.find(signature); at != bytes_.npos; at = bytes_.find(signature, at + signature.size())) {
      if (bytes_.size() - at < header || !budget_.time()) break;
      const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(bytes_[at + i])); };
      if (!visitor_.on_name(std::string(bytes_.substr(at + header, byte(size_at) + 256 * byte(size_at + 1))))) return false;
    }
    return true;
  }

  // False: it is over.
  bool next() {
    struct archive_entry* entry = nullptr;
    const int found = archive_read_next_header(reader_.get(), &entry);
    if (found == ARCHIVE_EOF) return false;
    if (found != ARCHIVE_OK && found != ARCHIVE_WARN) return trouble(), false;
    if (!budget_.entry()) return damaged(), false;
    ++entries_;
    const std::string name = name_of(entry);
    if (!visitor_.on_name(name)) return false;
    if (archive_entry_is_data_encrypted(entry) > 0) {
      result_.encrypted = true;
      return true;
    }
    return archive_entry_hardlink(entry) != nullptr || archive_entry_filetype(entry) != AE_IFREG || read(name);
  }

  std::string name_of(struct archive_entry* entry) const {
    if (archive_format(reader_.get()) == ARCHIVE_FORMAT_RAW) return std::string(without_ending(name_));
    if (const char* name = archive_entry_pathname_utf8(entry)) return name;
    if (const char* name = archive_entry_pathname(entry)) return name;
    return "";
  }

  // To its end, so that all that is unpacked is counted.
  bool read(const std::string& name) {
    std::string content;
    bool holding = true, asked = false;
    while (true) {
      const auto n = archive_read_data(reader_.get(), buffer_.data(), buffer_.size());
      if (n == ARCHIVE_RETRY) continue;
      if (n < 0) {
        trouble();
        return visitor_.on_content(name, content, false) && n != ARCHIVE_FATAL;
      }
      if (n == 0) return visitor_.on_content(name, content, holding);
      if (!budget_.bytes(static_cast<std::uint64_t>(n))) {
        damaged();
        visitor_.on_content(name, content, false);
        return false;
      }
      if (content.size() >= kShort && !asked) {
        asked = true;
        holding = visitor_.wants(name, content);
      }
      if (holding && content.size() + static_cast<std::size_t>(n) > kLongestEntry) {
        damaged();
        holding = false;
      }
      if (holding) content.append(buffer_.data(), static_cast<std::size_t>(n));
    }
  }

  void damaged() { result_.damaged = true; }

  // A header that is encrypted itself is told by nothing but the words.
  void trouble() {
    const char* text = archive_error_string(reader_.get());
    const bool secret = text != nullptr && (::strcasestr(text, "encrypt") != nullptr || ::strcasestr(text, "passphrase") != nullptr);
    secret ? result_.encrypted = true : result_.damaged = true;
  }

  std::string_view bytes_, name_;
  ArchiveVisitor& visitor_;
  Budget& budget_;
  std::vector<char> buffer_;
  Reader reader_;
  int entries_ = 0;
  ArchiveResult result_;
};

}  // namespace

ArchiveResult walk_archive(std::string_view bytes, std::string_view name, ArchiveVisitor& visitor, Budget& budget) {
  return Walk(bytes, name, visitor, budget).run();
}

}  // namespace holdfast::filter
