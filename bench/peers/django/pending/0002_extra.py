from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notes", "0001_initial")]
    operations = [
        migrations.AddField("note", "extra", models.IntegerField(null=True)),
        migrations.AddIndex("note", models.Index(fields=["extra"], name="note_extra_idx")),
    ]
