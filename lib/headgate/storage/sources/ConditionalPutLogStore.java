package io.headgate.storage;

import io.delta.storage.HadoopFileSystemLogStore;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.util.Arrays;
import java.util.Iterator;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSDataOutputStreamBuilder;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Delta's commits on S3, each put on the condition that there is none of its number yet.
 *
 * Written for the compiler that Spark itself carries: it reads type arguments, and does not use them.
 */
public class ConditionalPutLogStore extends HadoopFileSystemLogStore {
    private static final String CONDITION = "fs.option.create.conditional.overwrite";
    private static final int TRIES = 10;

    public ConditionalPutLogStore(Configuration conf) {
        super(conf);
    }

    @Override
    public void write(Path path, Iterator actions, Boolean overwrite, Configuration conf)
            throws IOException {
        byte[] content = joined(actions);
        FileSystem files = path.getFileSystem(conf);
        if (overwrite.booleanValue()) {
            put(files.create(path, true), content);
            return;
        }
        for (int tries = 1;; tries++) {
            try {
                FSDataOutputStreamBuilder builder = files.createFile(path);
                builder.recursive();
                builder.must(CONDITION, "true");
                put((FSDataOutputStream) builder.build(), content);
                return;
            } catch (IOException error) {
                if (says(error, "409") && tries < TRIES) {
                    continue; // another put of this name was under way
                }
                if (!says(error, "412") && !(error instanceof org.apache.hadoop.fs.FileAlreadyExistsException)) {
                    throw error;
                }
                // The reply to a put of ours may have been lost, and its repetition been refused.
                if (Arrays.equals(content, read(files, path))) {
                    return;
                }
                throw new FileAlreadyExistsException(path.toString());
            }
        }
    }

    @Override
    public Boolean isPartialWriteVisible(Path path, Configuration conf) {
        return Boolean.FALSE;
    }

    private static byte[] joined(Iterator actions) {
        StringBuilder text = new StringBuilder();
        while (actions.hasNext()) {
            text.append((String) actions.next()).append('\n');
        }
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** A stream that fails is not closed: closing it would put the part that it has. */
    private static void put(FSDataOutputStream stream, byte[] content) throws IOException {
        stream.write(content);
        stream.close();
    }

    private static byte[] read(FileSystem files, Path path) throws IOException {
        InputStream stream = files.open(path);
        try {
            ByteArrayOutputStream content = new ByteArrayOutputStream();
            byte[] piece = new byte[65536];
            for (int size = stream.read(piece); size >= 0; size = stream.read(piece)) {
                content.write(piece, 0, size);
            }
            return content.toByteArray();
        } finally {
            stream.close();
        }
    }

    private static boolean says(Throwable error, String status) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (String.valueOf(cause.getMessage()).contains("Status Code: " + status)) {
                return true;
            }
        }
        return false;
    }
}
