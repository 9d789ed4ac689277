// A spool of one segment with messages in it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "common/base/panic.h"
#include "common/storage/segment_reader.h"
#include "common/storage/segment_writer.h"
#include "tests/unit/deliver/jobs.h"
#include "tests/unit/storage/support.h"

namespace holdfast::test {

class SpoolFixture {
 public:
  SpoolFixture() {
    std::filesystem::create_directories(storage::segments_folder(folder.path()));
    writer_ =
        *storage::SegmentWriter::create(storage::real_file_ops(), storage::segments_folder(folder.path()), {1, 1});
  }

  // A job for a message with this content.
  ipc::Job keep(const std::string& content, const std::vector<std::string>& recipients, mail::Envelope envelope = {}) {
    ipc::Job job = job_to(recipients, mail::QueueId::make(1, ++sequence_).value);
    if (envelope.sender.empty()) envelope.sender = "a@s.example";
    envelope.destination = job.destination;
    for (const auto& address : recipients) envelope.recipients.emplace_back().address = address;
    storage::Content body(folder.path());
    base::expect(body.append(content).has_value(), "append");
    const auto ref = writer_->append({job.queue_id}, 0, envelope, body);
    base::expect(ref.has_value() && writer_->sync().has_value(), "the spool");
    job.record = *ref;
    return job;
  }
  base::Result<storage::Record> open(const ipc::Job& job) const {
    auto record =
        storage::Record::open(storage::segments_folder(folder.path()), job.record, {job.queue_id}, job.generation);
    if (record) {
      if (auto sound = record->verify(); !sound) return std::unexpected(sound.error());
    }
    return record;
  }
  // Turns a byte of the message's content.
  void damage(const ipc::Job& job) const;

  storage::test::Folder folder;

 private:
  std::unique_ptr<storage::SegmentWriter> writer_;
  std::uint64_t sequence_ = 0;
};

inline void SpoolFixture::damage(const ipc::Job& job) const {
  const std::string path = storage::segments_folder(folder.path()) + "/" +
                           storage::SegmentId{job.record.writer, job.record.segment}.file_name();
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const auto at = static_cast<std::streamoff>(job.record.offset + job.record.length - 1);
  file.seekg(at);
  const int byte = file.get();
  file.seekp(at);
  file.put(static_cast<char>(byte ^ 1));
}

}  // namespace holdfast::test
