/** The Python that reads the same records with tf.data and with WebDataset: a request in JSON a line, a count of records back. */

export type PeerKind = 'tf.data' | 'webdataset';

/** What is done with each record: handed out as stored, parsed, or parsed and decoded. */
export type PeerWork = 'records' | 'parsed' | 'decoded';

/** As TensorFlow's guide has it: all shards, a buffer of 1,024 to shuffle in, what can be done side by side so done. */
const TF_DATA = `
import glob, json, sys
try:
    import tensorflow as tf
except ImportError:
    print("absent", flush=True)
    sys.exit()

TEXT, NUMBER = tf.io.FixedLenFeature([], tf.string), tf.io.FixedLenFeature([], tf.int64)
PICTURES = ["image/a", "image/b", "image/c"]
SPECS = {
    "triplets": {"key": TEXT, "triplet_code": NUMBER, **{name: TEXT for name in PICTURES}},
    "windows": {"key": TEXT, "label": NUMBER, "eeg": tf.io.FixedLenFeature([64, 640], tf.float32)},
}

def dataset(request):
    spec, work = SPECS[request["kind"]], request["work"]
    def parse(record):
        example = tf.io.parse_single_example(record, spec)
        if work == "decoded" and request["kind"] == "triplets":
            for name in PICTURES:
                example[name] = tf.io.decode_jpeg(example[name], channels=3)
        return example
    records = tf.data.TFRecordDataset(sorted(glob.glob(request["glob"])))
    records = records.shuffle(1024).repeat(request["epochs"])
    if work != "records":
        records = records.map(parse, num_parallel_calls=tf.data.AUTOTUNE)
    return records.batch(request["batch"]).prefetch(tf.data.AUTOTUNE)

print("ready", flush=True)
for line in sys.stdin:
    request = json.loads(line)
    count = 0
    for batch in dataset(request):
        count += int((batch if request["work"] == "records" else batch["key"]).shape[0])
    print(count, flush=True)
`;

/** Pictures by PIL to arrays of bytes, windows by NumPy: WebDataset's own decoders. */
const WEBDATASET = `
import json, sys
try:
    import webdataset
    import PIL, numpy
except ImportError:
    print("absent", flush=True)
    sys.exit()

def dataset(request):
    samples = webdataset.WebDataset(request["tars"], shardshuffle=False).shuffle(1000)
    return samples.decode("rgb8") if request["work"] == "decoded" else samples

print("ready", flush=True)
for line in sys.stdin:
    request = json.loads(line)
    count = 0
    for _ in range(request["epochs"]):
        batch = []
        for sample in dataset(request):
            batch.append(sample)
            count += 1
            if len(batch) == request["batch"]:
                batch = []
    print(count, flush=True)
`;

export const READ_PEERS: Readonly<Record<PeerKind, string>> = { 'tf.data': TF_DATA, webdataset: WEBDATASET };
