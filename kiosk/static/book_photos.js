// Photos on the device: gathered one after the other, and made smaller before they are sent, so that a photo of 40 MB
// goes over the line as one of some hundred kilobytes.
const SIDE = 2048;
const QUALITY = 0.85;

async function smaller(file) {
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, SIDE / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#ffffff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const content = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  if (!content) throw new Error("not drawn");
  return content;
}

/** Return photos ready to be sent; what this browser cannot read goes as it is, and the server says what it is. */
export async function ready(files) {
  const photos = [];
  for (const file of files) {
    photos.push({ name: file.name, content: await smaller(file).catch(() => file) });
  }
  return photos;
}

/** Let photos be chosen one after the other and be left out again; resolve what is chosen by `files()`. */
export function gather(field, texts) {
  const list = document.createElement("ul");
  let chosen = [];
  list.className = "chosen";
  field.after(list);

  function row(file) {
    const item = document.createElement("li");
    const name = document.createElement("bdi");
    const out = document.createElement("button");
    name.textContent = file.name;
    out.type = "button";
    out.className = "quiet";
    out.textContent = texts.leave_out;
    out.setAttribute("aria-label", `${texts.leave_out}: ${file.name}`);
    out.addEventListener("click", () => set(chosen.filter((one) => one !== file)));
    item.append(name, out);
    return item;
  }

  function set(files) {
    chosen = files;
    list.replaceChildren(...chosen.map(row));
  }

  field.addEventListener("change", () => {
    set([...chosen, ...field.files]);
    field.value = "";
  });
  return { files: () => chosen, set };
}
